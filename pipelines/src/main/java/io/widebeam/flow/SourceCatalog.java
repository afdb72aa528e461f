package io.widebeam.flow;

import java.util.Set;

/** Looks into source databases. */
@FunctionalInterface
public interface SourceCatalog {

  /**
   * Describes a source, and checks whether its changes can be captured.
   *
   * @param tables the tables that the flow reads, as it names them
   */
  SourceDescription describe(Connection.Source source, Set<String> tables);

  /** Over JDBC, with short timeouts. */
  static SourceCatalog jdbc() {
    return new JdbcSourceCatalog();
  }
}
