package io.widebeam.flow;

import io.widebeam.change.TableId;
import io.widebeam.sql.SqlType;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;

/**
 * Looks into any database that has a JDBC driver, by what JDBC itself offers: tables, columns and
 * keys. The server's settings are the connector's to check.
 */
final class OtherCatalog {
  private static final int MAX_DIGITS = 60;

  private final Connection.Connector connector;
  private final JdbcSession session;

  private OtherCatalog(Connection.Connector connector, JdbcSession session) {
    this.connector = connector;
    this.session = session;
  }

  static SourceDescription describe(Connection.Connector connector, Set<String> tables) {
    try {
      Class.forName(connector.connectorClass());
    } catch (ClassNotFoundException e) {
      return unreached(
          connector,
          "connector.class",
          "there is no class " + connector.connectorClass(),
          "check the name, and put the connector's jars on the class path");
    }
    java.sql.Driver driver;
    try {
      driver = DriverManager.getDriver(connector.url().reveal());
    } catch (SQLException e) {
      return unreached(
          connector,
          "url",
          "no JDBC driver here understands the URL",
          "check how it starts, and put the database's JDBC driver on the class path");
    }
    Properties properties = new Properties();
    properties.put("user", connector.user());
    properties.put("password", connector.password().reveal());
    try (JdbcSession session = JdbcSession.open(driver, connector.url().reveal(), properties)) {
      return new OtherCatalog(connector, session).describe(tables);
    } catch (SQLException e) {
      return unreached(
          connector,
          "url",
          JdbcSession.message(e, connector.password()),
          "check url, user and password");
    }
  }

  private static SourceDescription unreached(
      Connection.Connector connector, String key, String what, String remedy) {
    return SourceDescription.unreached(
        new Finding(key, "connection " + connector.name() + ": " + what, remedy));
  }

  private SourceDescription describe(Set<String> names) throws SQLException {
    Map<String, TableId> ids = new TreeMap<>();
    DatabaseMetaData metaData = session.metaData();
    try (ResultSet found =
        metaData.getTables(session.catalog(), null, "%", new String[] {"TABLE", "BASE TABLE"})) {
      while (found.next()) {
        String schema = found.getString("TABLE_SCHEM");
        String table = found.getString("TABLE_NAME");
        String namespace = schema == null ? found.getString("TABLE_CAT") : schema;
        TableId id = new TableId(connector.name(), namespace == null ? "" : namespace, table);
        ids.put(table, id);
        ids.put(id.namespace() + "." + table, id);
      }
    }
    Map<String, TableDescription> tables = new HashMap<>();
    for (String name : names) {
      TableId id = ids.get(name);
      if (id != null) {
        tables.put(name, table(id, metaData));
      }
    }
    return new SourceDescription(
        connector.connectorClass(), true, tables, Map.of(), List.copyOf(ids.keySet()), List.of());
  }

  private TableDescription table(TableId id, DatabaseMetaData metaData) throws SQLException {
    boolean hasSchemas = metaData.supportsSchemasInTableDefinitions();
    String schema = hasSchemas ? id.namespace() : null;
    Map<Integer, String> columns = new TreeMap<>();
    Map<Integer, ColumnDefinition> definitions = new TreeMap<>();
    Map<String, SqlType> types = new HashMap<>();
    String escape = metaData.getSearchStringEscape();
    String pattern = id.name().replace("_", escape + "_").replace("%", escape + "%");
    try (ResultSet found = metaData.getColumns(session.catalog(), schema, pattern, "%")) {
      while (found.next()) {
        columns.put(found.getInt("ORDINAL_POSITION"), found.getString("COLUMN_NAME"));
        definitions.put(
            found.getInt("ORDINAL_POSITION"),
            new ColumnDefinition(
                found.getString("COLUMN_NAME"),
                SourceTypes.jdbc(
                    found.getInt("DATA_TYPE"),
                    found.getInt("COLUMN_SIZE"),
                    found.getInt("DECIMAL_DIGITS")),
                SourceTypes.constant(found.getString("COLUMN_DEF"), false)));
        types.put(
            found.getString("COLUMN_NAME"),
            type(
                found.getInt("DATA_TYPE"),
                found.getInt("COLUMN_SIZE"),
                found.getInt("DECIMAL_DIGITS")));
      }
    }
    Map<Integer, String> primaryKey = new TreeMap<>();
    try (ResultSet found = metaData.getPrimaryKeys(session.catalog(), schema, id.name())) {
      while (found.next()) {
        primaryKey.put(found.getInt("KEY_SEQ"), found.getString("COLUMN_NAME"));
      }
    }
    String quote = metaData.getIdentifierQuoteString();
    String quoted =
        (id.namespace().isEmpty() ? "" : quote + id.namespace() + quote + ".")
            + quote
            + id.name()
            + quote;
    return new TableDescription(
            id,
            new ArrayList<>(columns.values()),
            new ArrayList<>(primaryKey.values()),
            session.rows(quoted, -1),
            true,
            types,
            List.of())
        .withDefinitions(List.copyOf(definitions.values()));
  }

  private static SqlType type(int jdbc, int size, int digits) {
    return switch (jdbc) {
      case Types.TINYINT, Types.SMALLINT, Types.INTEGER -> SqlType.INTEGER;
      // It may be one without a sign.
      case Types.BIGINT -> SqlType.decimal(20, 0);
      case Types.DECIMAL, Types.NUMERIC ->
          size > 0 && size <= MAX_DIGITS && digits >= 0 && digits <= size
              ? SqlType.decimal(size, digits)
              : SqlType.ANY_DECIMAL;
      case Types.REAL, Types.FLOAT, Types.DOUBLE -> SqlType.DOUBLE;
      case Types.BOOLEAN, Types.BIT -> SqlType.BOOLEAN;
      case Types.CHAR,
          Types.VARCHAR,
          Types.LONGVARCHAR,
          Types.NCHAR,
          Types.NVARCHAR,
          Types.LONGNVARCHAR,
          Types.CLOB,
          Types.NCLOB,
          Types.TIME ->
          SqlType.TEXT;
      case Types.DATE -> SqlType.DATE;
      case Types.TIMESTAMP, Types.TIMESTAMP_WITH_TIMEZONE -> SqlType.DATETIME;
      default -> SqlType.OTHER;
    };
  }
}
