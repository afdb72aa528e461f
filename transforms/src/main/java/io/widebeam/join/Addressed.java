package io.widebeam.join;

import java.lang.reflect.Array;
import java.util.Arrays;

/** What is held in an array that is sorted by address, and never changed but copied. */
interface Addressed {
  JoinKey address();

  /** The index of the entry at this address, or as {@link Arrays#binarySearch} if there is none. */
  static int indexOf(Addressed[] entries, JoinKey address) {
    int low = 0;
    int high = entries.length - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      int order = entries[middle].address().compareTo(address);
      if (order == 0) {
        return middle;
      } else if (order < 0) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return -low - 1;
  }

  /** A copy of the entries with this one at its address. */
  static <T extends Addressed> T[] with(T[] entries, T entry) {
    int i = indexOf(entries, entry.address());
    if (i >= 0) {
      T[] changed = entries.clone();
      changed[i] = entry;
      return changed;
    }
    int at = -i - 1;
    @SuppressWarnings("unchecked")
    T[] changed =
        (T[]) Array.newInstance(entries.getClass().getComponentType(), entries.length + 1);
    System.arraycopy(entries, 0, changed, 0, at);
    changed[at] = entry;
    System.arraycopy(entries, at, changed, at + 1, entries.length - at);
    return changed;
  }
}
