package io.widebeam.flow;

import io.widebeam.view.Collation;
import java.util.Objects;

/** How a database compares the values of two columns, if they are texts. */
public sealed interface TextComparison {

  /** Two columns of one source that a relation takes for equal; tables as the flow names them. */
  record Columns(String parentTable, String parent, String childTable, String child) {}

  /**
   * By a collation.
   *
   * @param parentsOwn whether it is also the parent column's own, by which its keys are unique
   */
  record ByCollation(Collation collation, boolean parentsOwn) implements TextComparison {
    public ByCollation {
      Objects.requireNonNull(collation, "collation");
    }
  }

  /** In a way that joins outside of the database cannot follow, or not at all. */
  record Refused(String what, String remedy) implements TextComparison {}
}
