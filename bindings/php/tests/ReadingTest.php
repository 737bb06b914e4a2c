<?php

declare(strict_types=1);

namespace Wal\Tests;

use Wal\Exception\ClosedException;
use Wal\Exception\CorruptException;
use Wal\Exception\InvalidException;
use Wal\Exception\NotFoundException;
use Wal\Exception\TrimmedException;
use Wal\Log;
use Wal\Options;
use Wal\Position;
use Wal\ReadMode;
use Wal\Record;

final class ReadingTest extends LogCase
{
    private function filled(int $count = 1000): Log
    {
        $log = Log::open($this->path, new Options(segmentBytes: 65536));
        $log->appendBatch(array_map(fn (int $n): string => "record $n", range(1, $count)));
        return $log;
    }

    public function testALoopReadsFromAnywhereInBothDirections(): void
    {
        $log = $this->filled();
        $all = array_combine(range(1, 1000), array_map(fn ($n) => "record $n", range(1, 1000)));
        self::assertSame($all, self::all($log));
        self::assertSame(array_slice($all, 989, null, true), iterator_to_array($log->cursor(990)));
        self::assertSame([], iterator_to_array($log->cursor(Position::end())));
        self::assertSame([], iterator_to_array($log->cursor(1001)));
        $back = iterator_to_array($log->cursor(Position::end())->backwards());
        self::assertSame(array_reverse($all, true), $back);
        self::assertSame(
            [2 => 'record 2', 1 => 'record 1'],
            iterator_to_array($log->cursor(3)->backwards()),
        );
    }

    public function testALoopFindsWhatIsAppendedMeanwhile(): void
    {
        $log = $this->filled(3);
        $found = [];
        foreach ($log->cursor() as $lsn => $payload) {
            $found[] = $lsn;
            if ($lsn < 40) {
                $log->append('more');
            }
        }
        self::assertSame(range(1, 42), $found);
    }

    public function testALoopThatIsLeftLeavesTheCursorBehindItsLastRecord(): void
    {
        $log = $this->filled();
        $cursor = $log->cursor();
        foreach ($cursor as $lsn => $payload) {
            if ($lsn === 300) {
                break;
            }
        }
        self::assertSame($log->timeOf(300), $cursor->time());
        self::assertSame(301, $cursor->nextLsn());
        self::assertSame(301, $cursor->next()?->lsn);
        foreach ($cursor as $lsn => $payload) {
            self::assertSame(302, $lsn);
            break;
        }
        self::assertSame(302, $cursor->prev()?->lsn);
        self::assertSame([302, 303], array_keys($cursor->readBatch(2)));
    }

    public function testACursorMayBeMovedInsideItsLoop(): void
    {
        $log = $this->filled();
        $cursor = $log->cursor();
        $seen = [];
        foreach ($cursor as $lsn => $payload) {
            $seen[] = $lsn;
            if ($lsn === 2) {
                self::assertSame(3, $cursor->next()?->lsn);
            } elseif ($lsn === 4) {
                $cursor->seek(999);
            }
        }
        self::assertSame([1, 2, 4, 999, 1000], $seen);
    }

    public function testBatchesAreReadInOneCall(): void
    {
        $log = $this->filled(10);
        $cursor = $log->cursor(2);
        self::assertSame([2 => 'record 2', 3 => 'record 3'], $cursor->readBatch(2));
        self::assertEquals(new Record(4, 'record 4', true), $cursor->readRecords(1)[0]);
        self::assertSame([5, 6, 7, 8, 9, 10], array_keys($cursor->readBatch()));
        self::assertSame([], $cursor->readBatch());
        self::assertSame([], $cursor->readRecords());
        self::assertSame([10 => 'record 10'], $log->readBatch(10, 5));
        self::assertThrows(InvalidException::class, fn () => $cursor->readBatch(0));
        self::assertThrows(InvalidException::class, fn () => $cursor->readBatch(-1));
    }

    public function testABatchWithALargeRecordInItIsRead(): void
    {
        $log = Log::open($this->path);
        $log->appendBatch(['a', str_repeat('x', 300_000), 'b']);
        $cursor = $log->cursor();
        self::assertSame([1 => 'a'], $cursor->readBatch());
        self::assertSame([2 => str_repeat('x', 300_000), 3 => 'b'], $cursor->readBatch());
        self::assertSame([1, 2, 3], array_keys(self::all($log)));
    }

    public function testStepsGoBothWays(): void
    {
        $log = $this->filled(2);
        $cursor = $log->cursor();
        self::assertNull($cursor->prev());
        self::assertEquals(new Record(1, 'record 1', true), $cursor->next());
        self::assertEquals(new Record(2, 'record 2', false), $cursor->next());
        self::assertNull($cursor->next());
        self::assertSame(2, $cursor->prev()?->lsn);
        self::assertSame('record 1', $log->record(1)->payload);
        self::assertTrue($log->record(1)->batchContinues);
    }

    public function testTimesAreFound(): void
    {
        $log = Log::open($this->path);
        foreach ([10, 20, 30] as $seconds) {
            $log->appendBatch(["at $seconds"], timeNs: $seconds * 1_000_000_000);
        }
        self::assertSame(2, $log->cursor(Position::time(20_000_000_000))->nextLsn());
        self::assertSame(3, $log->cursor(Position::time(new \DateTimeImmutable('@21')))->nextLsn());
        self::assertSame(
            [3 => 'at 30'],
            iterator_to_array($log->cursor(Position::time(20_000_000_001))),
        );
        self::assertSame([], iterator_to_array($log->cursor(Position::time(31_000_000_000))));
        $cursor = $log->cursor();
        self::assertThrows(InvalidException::class, $cursor->time(...));
        $cursor->next();
        self::assertSame(10_000_000_000, $cursor->time());
        $cursor->seek(Position::time(30_000_000_000));
        self::assertSame(3, $cursor->next()?->lsn);
        $half = new \DateTimeImmutable('1970-01-01 00:00:00.5 UTC');
        self::assertSame(500_000_000, Position::time($half)->at);
    }

    public function testWhatIsNotThereIsToldWithTheNextPlace(): void
    {
        $log = $this->filled();
        $log->trim(11);
        $trimmed = self::assertThrows(TrimmedException::class, fn () => $log->read(10));
        self::assertSame(11, $trimmed->lsn);
        self::assertSame(
            11,
            self::assertThrows(TrimmedException::class, fn () => $log->cursor(1))->lsn,
        );
        $beyond = self::assertThrows(NotFoundException::class, fn () => $log->read(1001));
        self::assertSame([1001, $this->path], [$beyond->lsn, $beyond->path]);
        foreach ([0, -1, PHP_INT_MIN] as $none) {
            self::assertThrows(InvalidException::class, fn () => $log->read($none), "$none");
            self::assertThrows(InvalidException::class, fn () => $log->cursor($none), "$none");
        }
        self::assertSame(11, $log->firstLsn());
    }

    public function testDamageIsToldWithItsPlaceAndNothingWrongIsServed(): void
    {
        $log = Log::open($this->path, new Options(segmentBytes: 65536));
        $records = ['record 1', 'record 2', 'record 3', str_repeat('x', 60_000), 'next segment'];
        array_map($log->append(...), $records);
        $log->close();
        $file = glob("{$this->path}/*.wal")[0];
        $bytes = file_get_contents($file);
        file_put_contents($file, str_replace('record 2', 'recorD 2', $bytes));
        foreach ([ReadMode::Map, ReadMode::Pread] as $mode) {
            $log = Log::open($this->path, new Options(readMode: $mode));
            $corrupt = self::assertThrows(CorruptException::class, fn () => $log->read(2));
            self::assertSame(1, $corrupt->segment);
            self::assertIsInt($corrupt->offset);
            self::assertSame($this->path, $corrupt->path);
            $log->close();
        }
    }

    public function testReplayGoesOnUntilItIsTold(): void
    {
        $log = $this->filled();
        $seen = [];
        $look = function (Record $record) use (&$seen): bool {
            $seen[] = $record->lsn;
            return $record->lsn !== 5;
        };
        self::assertSame(5, $log->replay($look, 3));
        self::assertSame([3, 4, 5], $seen);
        self::assertSame(1000, $log->replay(fn (Record $record) => null));
        self::assertNull($log->replay($look, Position::end()));
        self::assertThrows(
            \DomainException::class,
            fn () => $log->replay(fn () => throw new \DomainException()),
        );
    }

    public function testAReaderSeesAWriterWithoutALock(): void
    {
        $log = $this->filled(2);
        $reader = Log::openReadOnly($this->path);
        self::assertSame(2, $reader->lastLsn());
        $log->append('more');
        self::assertSame('more', $reader->follow(3)->next(5000)?->payload);
        self::assertThrows(InvalidException::class, fn () => $reader->append('x'));
        $reader->close();
        self::assertSame(4, $log->append('the writer goes on'));
    }

    public function testRecordsAndWhatWasReadOutliveTheLog(): void
    {
        $log = $this->filled(2);
        $record = $log->record(1);
        $log->close();
        unset($log);
        Log::destroy($this->path);
        self::assertSame('record 1', $record->payload);
        self::assertDirectoryDoesNotExist($this->path);
    }

    public function testALogLivesAsLongAsItsCursors(): void
    {
        $this->filled(500)->close();
        $cursor = (fn () => Log::open($this->path)->cursor())();
        self::assertCount(500, iterator_to_array($cursor));
        unset($cursor);
        Log::open($this->path)->close();
    }

    public function testAGeneratorThatOutlivesTheCloseEndsWithClosed(): void
    {
        $log = $this->filled();
        $loops = [$log->cursor()->getIterator(), $log->follow(1)->getIterator()];
        foreach ($loops as $loop) {
            self::assertSame('record 1', $loop->current());
        }
        $back = $log->cursor(Position::end())->backwards();
        self::assertSame(1000, $back->key());
        $log->close();
        foreach ($loops as $loop) {
            self::assertThrows(ClosedException::class, function () use ($loop): void {
                while ($loop->valid()) {
                    $loop->next();
                }
            });
        }
        self::assertThrows(ClosedException::class, function () use ($log): void {
            foreach ($log->cursor() as $payload) {
            }
        });
    }
}
