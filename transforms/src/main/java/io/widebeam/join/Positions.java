package io.widebeam.join;

import java.util.Arrays;

/**
 * How far into each source something reaches: the highest change number seen from each, in the
 * plan's order of sources.
 */
final class Positions {
  /**
   * Room between two positions, for documents that change several times on one position: when
   * answers to one change come one by one, or late.
   */
  private static final int STEPS = 8;

  private static final int LEFT_OUT = 1 << 6;

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
   * The version of a document that reaches these positions: above the one before, and above
   * whatever a life before a restart wrote, if a change read since is contained.
   *
   * <p>What is read after a restart has a number above all that any source gave out before. So the
   * highest number is counted for every source: a sum of each source's own could be below that of a
   * document which another source's number had lifted in a life that this state knows nothing of.
   *
   * <p>What was under way at the checkpoint is not read again and keeps its numbers. It may arrive
   * in another order than before the crash, in fewer steps: so the first version after a restart
   * leaves out as many as a document may have had on one position then.
   *
   * @param generation the number that every change of this generation is above
   * @param first whether this is the document's first version after a load or a restart
   */
  static long version(long[] positions, long previous, long generation, boolean first) {
    long highest = generation;
    for (long position : positions) {
      highest = Math.max(highest, position);
    }
    long reached = (positions.length * highest) << steps(positions.length);
    return first ? Math.max(reached, previous) + LEFT_OUT : Math.max(reached, previous + 1);
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
