/** libwal for Java: an embeddable, crash-safe write-ahead log. */
module io.libwal {
    exports io.libwal;
}
