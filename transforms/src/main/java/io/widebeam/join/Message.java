package io.widebeam.join;

import javax.annotation.Nullable;

/**
 * What travels between the stages. Receivers keep, per sender and subject, the highest version and
 * drop what is not above it, so that neither order nor repetition matters.
 */
sealed interface Message {
  /** The newest position of each source that the message contains, in the plan's order. */
  long[] positions();

  /** The commit time, in milliseconds since the epoch, of the newest change contained. */
  long commitMillis();

  /**
   * Whether it must be passed on even if it changes nothing: it follows from what was read while
   * the source was held, after a crash perhaps, and what is further on may have seen states that
   * its sender has forgotten.
   */
  boolean due();

  /**
   * A row is now this, to the lookup or the assembly that holds it.
   *
   * @param node the row's node
   * @param address for an assembly, the row's address there; for a lookup, the row's key
   * @param row the encoded row, assembled if the node has lookups; null if it is gone
   * @param version grows with every change of the row
   * @param gone what the row of an assembly's head was, if its assembled row goes elsewhere now or
   *     is gone: it may have been passed on by what a crash has made forgotten. Of a root, only the
   *     columns of its key
   */
  record Row(
      int node,
      JoinKey address,
      @Nullable byte[] row,
      long version,
      @Nullable byte[] gone,
      long[] positions,
      long commitMillis,
      boolean due)
      implements Message {}

  /**
   * A parent row points at this lookup, or no longer does.
   *
   * @param node the lookup's node
   * @param assembly the key of the assembly that holds the parent row
   * @param address the parent row's address there
   * @param pointing whether it points here now
   * @param version the version of the parent row's change
   */
  record Subscription(
      int node,
      JoinKey assembly,
      JoinKey address,
      boolean pointing,
      long version,
      long[] positions,
      long commitMillis)
      implements Message {

    /** The parent row itself comes with it, and is what must be passed on. */
    @Override
    public boolean due() {
      return false;
    }
  }

  /**
   * What a lookup found for a parent row; every subscription is answered, also with nothing.
   *
   * @param node the lookup's node
   * @param address the parent row's address in its assembly
   * @param joinKey the lookup's key, which the parent row asked for
   * @param subscription the version of the subscription that is answered
   * @param version grows with every answer of this lookup key
   * @param rows the matching rows, in the order of their embedding; for an object, at most one
   */
  record Answer(
      int node,
      JoinKey address,
      JoinKey joinKey,
      long subscription,
      long version,
      byte[][] rows,
      long[] positions,
      long commitMillis,
      boolean due)
      implements Message {}
}
