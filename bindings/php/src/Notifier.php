<?php

declare(strict_types=1);

namespace Wal;

use FFI;
use FFI\CData;

/**
 * A descriptor that becomes readable when the durable LSN advances, and when the log is closed or
 * poisoned: for `stream_select` and event loops. PHP opens descriptors on the command line only.
 */
final class Notifier
{
    use Unclonable;

    private readonly FFI $ffi;
    private ?CData $handle = null;
    /** @var ?resource */
    private $stream = null;

    /** @internal made by `Log::notifier` */
    public function __construct(private readonly Log $log)
    {
        $this->ffi = Library::ffi();
        $out = new Out($this->ffi);
        $slot = $this->ffi->new('wal_notifier*[1]');
        if ($this->ffi->wal_notifier_open($log->handle(), $slot, $out->error) !== 0) {
            throw $out->failure($log->path);
        }
        $this->handle = $slot[0];
    }

    /**
     * The stream to wait for; never read from it.
     *
     * @return resource
     */
    public function stream()
    {
        if ($this->stream === null) {
            $stream = @\fopen('php://fd/' . $this->ffi->wal_notifier_fd($this->handle), 'r');
            if ($stream === false) {
                throw Failure::invalid('PHP opens descriptors on the command line only');
            }
            $this->stream = $stream;
        }
        return $this->stream;
    }

    /**
     * Makes the stream unreadable again and tells the durable LSN. What becomes durable afterwards
     * makes it readable once more.
     */
    public function acknowledge(): ?int
    {
        $out = new Out($this->ffi);
        if ($this->ffi->wal_notifier_acknowledge($this->handle, $out->number, $out->error) !== 0) {
            throw $out->failure($this->log->path);
        }
        return $out->number[0] ?: null;
    }

    public function __destruct()
    {
        if (isset($this->handle)) {
            $handle = $this->handle;
            $this->handle = null;
            $this->stream = null;
            $this->ffi->wal_notifier_release($handle);
        }
    }
}
