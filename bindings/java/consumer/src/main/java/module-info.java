/** A program that uses libwal as a module. */
module consumer {
    requires io.libwal;

    exports consumer;
}
