<?php

declare(strict_types=1);

namespace Wal;

/**
 * For what stands for something in the library: there is one of it, in this process.
 *
 * @internal
 */
trait Unclonable
{
    private function __clone()
    {
    }

    public function __serialize(): array
    {
        throw new \LogicException(self::class . ' cannot be serialized: open the log where it is '
            . 'needed');
    }

    public function __unserialize(array $data): void
    {
        throw new \LogicException(self::class . ' cannot be unserialized');
    }
}
