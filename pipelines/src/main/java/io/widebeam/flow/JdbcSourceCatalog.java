package io.widebeam.flow;

import java.util.Map;
import java.util.Set;

/** Looks into source databases over JDBC; one class per family of databases knows its ways. */
final class JdbcSourceCatalog implements SourceCatalog {
  @Override
  public SourceDescription describe(Connection.Source source, Set<String> tables) {
    if (source instanceof Connection.Database database) {
      return switch (database.engine()) {
        case MYSQL, MARIADB -> MySqlCatalog.describe(database, tables);
        case POSTGRESQL -> PostgresCatalog.describe(database, tables);
      };
    }
    return OtherCatalog.describe((Connection.Connector) source, tables);
  }

  @Override
  public Map<TextComparison.Columns, TextComparison> compareTexts(
      Connection.Source source, Set<TextComparison.Columns> pairs) {
    if (source instanceof Connection.Database database) {
      return switch (database.engine()) {
        case MYSQL, MARIADB -> MySqlCollations.compare(database, pairs);
        case POSTGRESQL -> PostgresCatalog.compareTexts(database, pairs);
      };
    }
    return Map.of();
  }
}
