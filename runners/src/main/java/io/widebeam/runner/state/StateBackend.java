package io.widebeam.runner.state;

/** Where the state of a running flow is. */
public enum StateBackend {
  /**
   * On the heap: the fastest, for state that fits into memory. Every checkpoint writes it whole.
   */
  HEAP,
  /** In RocksDB, on disk: for state of any size. A checkpoint writes what is new since the last. */
  ROCKSDB
}
