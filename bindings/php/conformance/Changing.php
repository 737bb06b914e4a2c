<?php

declare(strict_types=1);

use Wal\Check;

/** Trimming, values, and what a log tells about itself. */
trait Changing
{
    private function doTrim(Line $line): string
    {
        return 'ok first=' . dash($this->log($line)->trim($line->number('before')));
    }

    private function doTruncate(Line $line): string
    {
        $this->log($line)->truncate($line->number('after'));
        return 'ok';
    }

    private function doReset(Line $line): string
    {
        $this->log($line)->resetTo($line->number('next'));
        return 'ok';
    }

    private function doValueSet(Line $line): string
    {
        $this->log($line)->values()->set($line->data('key'), $line->data('value'));
        return 'ok';
    }

    private function doValueGet(Line $line): string
    {
        $value = $this->log($line)->values()->get($line->data('key'));
        return $value === null ? 'ok none' : 'ok value=' . print_bytes($value);
    }

    private function doValueDelete(Line $line): string
    {
        return 'ok existed=' . (int) $this->log($line)->values()->delete($line->data('key'));
    }

    private function doValueUpdate(Line $line): string
    {
        $values = array_map(
            static fn (string $word): ?string => $word === 'none' ? null : read_bytes($word),
            $line->items('values'),
        );
        $this->log($line)->values()->update(array_combine($line->manyData('keys'), $values));
        return 'ok';
    }

    private function doValueList(Line $line): string
    {
        foreach ($this->log($line)->values() as $key => $value) {
            $this->lines[] = 'value key=' . print_bytes($key) . ' value=' . print_bytes($value);
        }
        return $this->count();
    }

    private function doStats(Line $line): string
    {
        $stats = $this->log($line)->stats();
        return 'ok level=' . strtolower($stats->level->name) . ' poisoned=' . (int) $stats->poisoned
            . ' ' . ends($stats) . " next={$stats->nextLsn} records={$stats->records}"
            . " record_bytes={$stats->recordBytes} rotations={$stats->rotations}"
            . " trimmed={$stats->trimmed} segments={$stats->segments}";
    }

    private function doSegments(Line $line): string
    {
        foreach ($this->log($line)->segments() as $segment) {
            $sealed = (int) $segment->sealed;
            $this->lines[] = "segment id={$segment->id} " . ends($segment) . " sealed=$sealed";
        }
        return $this->count();
    }

    private function doPoisoned(Line $line): string
    {
        return 'ok poisoned=' . (int) ($this->log($line)->poisoned() !== null);
    }

    private function doCopyTo(Line $line): string
    {
        $report = $this->log($line)->copyTo($this->directory($line));
        return "ok records={$report->records} " . ends($report);
    }

    private function doInfo(Line $line): string
    {
        $info = Check::info($this->directory($line));
        $case = case_name($info->recovery->case);
        return 'ok clean=' . (int) $info->clean . ' writer=' . (int) $info->writerAlive
            . " epoch={$info->epoch} " . ends($info) . " next={$info->nextLsn} segments="
            . count($info->segments) . " values={$info->values} case=$case";
    }

    private function doVerify(Line $line): string
    {
        $report = Check::verify($this->directory($line));
        foreach ($report->findings as $finding) {
            $this->lines[] = 'finding kind=' . kind($finding->class) . ' segment='
                . dash($finding->segment) . " offset={$finding->offset} " . ends($finding)
                . ' at_stake=' . (int) $finding->recordsAtStake;
        }
        return "ok findings={$report->findingsCount} segments={$report->segments}"
            . " records={$report->records} " . ends($report) . ' torn=' . (int) $report->tornTail;
    }

    private function doRepair(Line $line): string
    {
        $report = Check::repair($this->directory($line), $line->yes('dry_run') ?? false);
        foreach ($report->lost as [$first, $last]) {
            $this->lines[] = "lost first=$first last=$last";
        }
        return 'ok changed=' . (int) $report->changed
            . ' actions=' . (int) ($report->actions !== [])
            . ' backup=' . (int) ($report->backup !== null);
    }
}
