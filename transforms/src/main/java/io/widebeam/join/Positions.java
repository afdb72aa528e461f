package io.widebeam.join;

import java.util.Arrays;

/**
 * How far into each source something reaches: the highest change number seen from each, in the
 * plan's order of sources.
 */
final class Positions {
  /**
   * Room between two position sums, for documents that change several times on one position: when
   * answers to one change come one by one, or late.
   */
  private static final int STEPS = 8;

  private Positions() {}

  static long[] max(long[] a, long[] b) {
    if (a.length == 0) {
      return b;
    }
    if (b.length == 0 || Arrays.equals(a, b)) {
      return a;
    }
    long[] max = new long[a.length];
    for (int i = 0; i < a.length; i++) {
      max[i] = Math.max(a[i], b[i]);
    }
    return max;
  }

  /**
   * The version of a document that reaches these positions: above the one before, and never below
   * what a replay of the same changes gives.
   *
   * @param generation the number that every change of this generation is above. A source that the
   *     document has nothing from counts as much, so that the document outranks one of an older
   *     generation that had
   */
  static long version(long[] positions, long previous, long generation) {
    long sum = 0;
    for (long position : positions) {
      sum += Math.max(position, generation);
    }
    return Math.max(sum << steps(positions.length), previous + 1);
  }

  /**
   * The version of a document that must outrank whatever a target has of it, written in a life
   * before that this state knows nothing of: there other sources may have had numbers given out
   * after a restart, which are far above those that the document reaches now. What was read again
   * since has a number above all of any source, and is counted for every source.
   */
  static long outrankingVersion(long[] positions, long previous, long generation) {
    long highest = generation;
    for (long position : positions) {
      highest = Math.max(highest, position);
    }
    return Math.max(positions.length * highest << steps(positions.length), previous + 1);
  }

  /** What all versions of a generation are above, and all of the generations before are below. */
  static long firstVersion(int sources, long generation) {
    return (sources * generation) << steps(sources);
  }

  /** Positions take up to 54 bits each: a sum of several leaves less room. */
  private static int steps(int sources) {
    int sourceBits = Integer.SIZE - Integer.numberOfLeadingZeros(sources - 1);
    return Math.max(STEPS - sourceBits, 0);
  }
}
