package io.widebeam.flow;

import io.widebeam.sink.jdbc.FlatTable;
import io.widebeam.sink.jdbc.Mismatch;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Looks into target databases. */
@FunctionalInterface
public interface TargetCatalog {

  /**
   * A table to be written.
   *
   * @param followsSource whether columns that it lacks are added
   */
  record JdbcTable(FlatTable table, boolean followsSource) {}

  /**
   * What is wrong with a database, and with the tables that it has already.
   *
   * @param tables by the tables' names
   */
  record JdbcFindings(List<Finding> connection, Map<String, List<Mismatch>> tables) {
    static final JdbcFindings NONE = new JdbcFindings(List.of(), Map.of());
  }

  /** What keeps the collections from being written; empty if nothing does. */
  List<Finding> check(Connection.Mongo target, Set<String> collections);

  /** What keeps the tables from being written; a catalog that cannot tell finds nothing. */
  default JdbcFindings check(Connection.Jdbc target, List<JdbcTable> tables) {
    return JdbcFindings.NONE;
  }

  /** By the databases' own drivers, with short timeouts. */
  static TargetCatalog connected() {
    return new TargetCatalog() {
      private final TargetCatalog mongo = new MongoTargetCatalog();

      @Override
      public List<Finding> check(Connection.Mongo target, Set<String> collections) {
        return mongo.check(target, collections);
      }

      @Override
      public JdbcFindings check(Connection.Jdbc target, List<JdbcTable> tables) {
        return JdbcTargetCatalog.check(target, tables);
      }
    };
  }

  /** By the MongoDB driver, with short timeouts. */
  static TargetCatalog mongodb() {
    return new MongoTargetCatalog();
  }
}
