package io.widebeam.flow;

import java.util.Map;
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

  /**
   * How the database compares the texts of columns that relations take for equal.
   *
   * @param pairs columns that are there
   * @return what is not in here compares by its characters, or is no text
   */
  default Map<TextComparison.Columns, TextComparison> compareTexts(
      Connection.Source source, Set<TextComparison.Columns> pairs) {
    return Map.of();
  }

  /** Over JDBC, with short timeouts. */
  static SourceCatalog jdbc() {
    return new JdbcSourceCatalog();
  }
}
