package io.widebeam.join;

import javax.annotation.Nullable;

/**
 * Where a row is held.
 *
 * @param key the key of the lookup or the assembly
 * @param address the row's key in the lookup, or its address in the assembly
 */
record Place(JoinKey key, JoinKey address) {
  /** Where a row is looked up; null without a row, or if its join value is null. */
  @Nullable
  static Place lookup(JoinPlan.Node node, @Nullable byte[] row) {
    JoinKey key = row == null ? null : node.lookupKeyFor(row);
    return key == null ? null : new Place(key, node.requiredRowKey(row));
  }

  /** The assembly that a row heads or is a member of; null without a row, or without a parent. */
  @Nullable
  static Place assembly(JoinPlan.Node node, @Nullable byte[] row) {
    JoinKey key = row == null ? null : node.assemblyKeyFor(row);
    return key == null ? null : new Place(key, node.address(row));
  }

  /** Where an assembled row goes next; null without a row, or without a parent. */
  @Nullable
  static Place inParent(JoinPlan.Node head, @Nullable byte[] row) {
    if (head.attachment == JoinPlan.Attachment.LOOKUP) {
      return lookup(head, row);
    }
    JoinKey key = row == null ? null : head.parentAssemblyKeyFor(row);
    return key == null ? null : new Place(key, head.addressInParent(row, head.requiredRowKey(row)));
  }
}
