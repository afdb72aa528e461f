package io.widebeam.flow;

import io.widebeam.cdc.DriverTls;
import io.widebeam.change.TableId;
import io.widebeam.flow.Connection.Engine;
import io.widebeam.sink.jdbc.ColumnType;
import io.widebeam.sql.SqlType;
import java.sql.Driver;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Looks into MySQL and MariaDB servers; which of the two it is, the server says. */
final class MySqlCatalog {
  /** In what SHOW CREATE TABLE prints: the name, the table that it refers to, what it does. */
  private static final Pattern ACTING_FOREIGN_KEY =
      Pattern.compile(
          "^ *CONSTRAINT `((?:[^`]|``)+)` FOREIGN KEY .* REFERENCES (\\S+) .*?"
              + "(ON (?:DELETE|UPDATE) (?:CASCADE|SET (?:NULL|DEFAULT)).*?),?$",
          Pattern.MULTILINE);

  private static final Pattern GLOBAL_GRANT = Pattern.compile("GRANT (.+) ON \\*\\.\\* TO .*");

  private final Connection.Database database;
  private final JdbcSession session;
  private final List<Finding> findings = new ArrayList<>();
  private final List<Finding> cautions = new ArrayList<>();

  private MySqlCatalog(Connection.Database database, JdbcSession session) {
    this.database = database;
    this.session = session;
  }

  static SourceDescription describe(Connection.Database database, Set<String> tables) {
    try (JdbcSession session = open(database)) {
      return new MySqlCatalog(database, session).describe(tables);
    } catch (SQLException e) {
      return SourceDescription.unreached(JdbcSession.failure(database, e));
    }
  }

  static JdbcSession open(Connection.Database database) throws SQLException {
    boolean mariadb = database.engine() == Engine.MARIADB;
    Properties properties = new Properties();
    properties.put("user", database.user());
    properties.put("password", database.password().reveal());
    properties.put("connectTimeout", Long.toString(JdbcSession.CONNECT_TIMEOUT.toMillis()));
    properties.put("socketTimeout", Long.toString(JdbcSession.READ_TIMEOUT.toMillis()));
    properties.put("allowPublicKeyRetrieval", "true");
    properties.putAll(
        mariadb
            ? DriverTls.mariaDb(database.properties())
            : DriverTls.mysql(database.properties()));
    String host = database.host().contains(":") ? "[" + database.host() + "]" : database.host();
    Driver driver = mariadb ? new org.mariadb.jdbc.Driver() : new com.mysql.cj.jdbc.Driver();
    // Without a database in the URL, a wrong one can be told from a wrong password.
    String url = "jdbc:" + database.engine().type() + "://" + host + ":" + database.port() + "/";
    return JdbcSession.open(driver, url, properties);
  }

  private SourceDescription describe(Set<String> names) throws SQLException {
    boolean mariadb = session.texts("SELECT version()").get(0).contains("MariaDB");
    List<String> databases =
        session.texts("SELECT schema_name FROM information_schema.schemata ORDER BY 1");
    if (!databases.contains(database.database())) {
      databases.removeIf(
          Set.of("information_schema", "mysql", "performance_schema", "sys")::contains);
      return SourceDescription.unreached(
          new Finding(
              "database",
              "connection "
                  + database.name()
                  + ": there is no database `"
                  + database.database()
                  + "` that user `"
                  + database.user()
                  + "` may see",
              Suggestions.amongNames(database.database(), "databases", databases)));
    }
    checkSettings();
    checkPrivileges(mariadb);

    Map<String, Long> estimates = new LinkedHashMap<>();
    Map<String, Finding> unreadable = new HashMap<>();
    session.query(
        "SELECT table_name, table_rows, table_type FROM information_schema.tables"
            + " WHERE table_schema = ? ORDER BY 1",
        row -> {
          if (row.getString(3).equals("VIEW")) {
            unreadable.put(row.getString(1), JdbcSession.isView(row.getString(1)));
          }
          return estimates.put(row.getString(1), row.getLong(2));
        },
        database.database());
    boolean hidesCascades = hidesCascades();
    Map<String, TableDescription> tables = new HashMap<>();
    for (String name : names) {
      if (estimates.containsKey(name) && !unreadable.containsKey(name)) {
        Optional<Finding> unknownType = unknownType(name);
        if (unknownType.isPresent()) {
          unreadable.put(name, unknownType.get());
        } else if (isReadable(name)) {
          tables.put(name, table(name, estimates.get(name), mariadb));
          if (hidesCascades) {
            lookForCascades(name);
          }
        } else {
          unreadable.put(
              name,
              new Finding(
                  "",
                  "user `" + database.user() + "` may not read table `" + name + "`",
                  "GRANT SELECT ON " + quote(database.database()) + ".* TO " + grantee()));
        }
      }
    }
    return new SourceDescription(
        mariadb ? ConnectorSettings.MARIADB : ConnectorSettings.MYSQL,
        true,
        tables,
        unreadable,
        List.copyOf(estimates.keySet()),
        findings,
        cautions);
  }

  private TableDescription table(String name, long estimate, boolean mariadb) throws SQLException {
    Map<String, SqlType> types = new LinkedHashMap<>();
    session.query(
        "SELECT column_name, data_type, column_type, numeric_precision, numeric_scale"
            + " FROM information_schema.columns"
            + " WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position",
        row ->
            types.put(
                row.getString(1),
                type(row.getString(2), row.getString(3), row.getInt(4), row.getInt(5))),
        database.database(),
        name);
    Map<String, List<String>> uniqueKeys = new LinkedHashMap<>();
    Set<String> withNulls = new TreeSet<>();
    session.query(
        "SELECT index_name, column_name, nullable FROM information_schema.statistics"
            + " WHERE table_schema = ? AND table_name = ? AND non_unique = 0"
            + " AND index_name <> 'PRIMARY' ORDER BY index_name, seq_in_index",
        row -> {
          // An index over an expression has no column.
          if (row.getString(2) == null || "YES".equals(row.getString(3))) {
            withNulls.add(row.getString(1));
          }
          return uniqueKeys
              .computeIfAbsent(row.getString(1), index -> new ArrayList<>())
              .add(String.valueOf(row.getString(2)));
        },
        database.database(),
        name);
    uniqueKeys.keySet().removeAll(withNulls);
    List<String> primaryKey =
        session.texts(
            "SELECT column_name FROM information_schema.statistics"
                + " WHERE table_schema = ? AND table_name = ? AND index_name = 'PRIMARY'"
                + " ORDER BY seq_in_index",
            database.database(),
            name);
    return new TableDescription(
            new TableId(database.name(), database.database(), name),
            List.copyOf(types.keySet()),
            primaryKey,
            session.rows(qualified(name), estimate),
            // What the log leaves out is a setting of the server, and checked there.
            true,
            types,
            List.copyOf(uniqueKeys.values()))
        .withDefinitions(definitions(name, mariadb));
  }

  private List<ColumnDefinition> definitions(String table, boolean mariadb) throws SQLException {
    return session.query(
        "SELECT column_name, column_type, character_maximum_length, column_default,"
            + " is_nullable, extra FROM information_schema.columns"
            + " WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position",
        row -> definition(row, mariadb),
        database.database(),
        table);
  }

  private static ColumnDefinition definition(ResultSet row, boolean mariadb) throws SQLException {
    ColumnType type = SourceTypes.mysql(row.getString(2), row.getLong(3));
    String initial = row.getString(4);
    boolean computed =
        row.getString(6).toUpperCase(Locale.ROOT).contains("GENERATED")
            || (initial != null
                && initial.toUpperCase(Locale.ROOT).startsWith("CURRENT_TIMESTAMP"));
    if (computed) {
      return new ColumnDefinition(row.getString(1), type);
    }
    // MySQL gives a text as it is, MariaDB as it is written.
    Optional<String> constant =
        mariadb ? SourceTypes.constant(initial, true) : Optional.ofNullable(initial);
    if (initial == null && row.getString(5).equals("NO")) {
      constant = implicitDefault(type);
    }
    return new ColumnDefinition(row.getString(1), type, constant);
  }

  /** What the server gives older rows in a new column that must not be null. */
  private static Optional<String> implicitDefault(ColumnType type) {
    return switch (type.kind()) {
      case INT16, INT32, INT64, DECIMAL, FLOAT64, BOOLEAN -> Optional.of("0");
      case TEXT -> Optional.of("");
      default -> Optional.empty();
    };
  }

  private static SqlType type(String dataType, String columnType, int precision, int scale) {
    boolean unsigned = columnType.contains("unsigned");
    return switch (dataType.toLowerCase(Locale.ROOT)) {
      case "tinyint", "smallint", "mediumint", "int", "integer", "year" -> SqlType.INTEGER;
      case "bigint" -> unsigned ? SqlType.decimal(20, 0) : SqlType.INTEGER;
      case "decimal", "numeric" -> SqlType.decimal(precision, scale);
      case "float", "double" -> SqlType.DOUBLE;
      case "bit" -> columnType.equals("bit(1)") ? SqlType.BOOLEAN : SqlType.BYTES;
      case "date" -> SqlType.DATE;
      case "datetime", "timestamp" -> SqlType.DATETIME;
      case "char",
          "varchar",
          "tinytext",
          "text",
          "mediumtext",
          "longtext",
          "enum",
          "set",
          "time",
          "uuid",
          "inet4",
          "inet6" ->
          SqlType.TEXT;
      case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob" -> SqlType.BYTES;
      default -> SqlType.OTHER;
    };
  }

  /** The connector does not understand tables with columns of these types of MariaDB. */
  private Optional<Finding> unknownType(String table) throws SQLException {
    return session
        .query(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = ?"
                + " AND table_name = ? AND data_type IN ('inet4', 'inet6')"
                + " ORDER BY ordinal_position",
            row ->
                new Finding(
                    "",
                    "column `%s` of table `%s` has the type %s, which cannot be read from the log"
                        .formatted(
                            row.getString(1), table, row.getString(2).toUpperCase(Locale.ROOT)),
                    "ALTER TABLE %s MODIFY %s VARCHAR(45)"
                        .formatted(quote(table), quote(row.getString(1)))),
            database.database(),
            table)
        .stream()
        .findFirst();
  }

  private boolean isReadable(String name) {
    try {
      session.query("SELECT * FROM " + qualified(name) + " LIMIT 0", row -> row);
      return true;
    } catch (SQLException e) {
      return false;
    }
  }

  /** Whether InnoDB looks after foreign keys by itself, and the log has nothing of it. */
  private boolean hidesCascades() throws SQLException {
    List<String> inInnoDb =
        session.query(
            "SHOW GLOBAL VARIABLES LIKE 'innodb_native_foreign_keys'", row -> row.getString(2));
    // MySQL has it since 9.6; up to then, and in MariaDB, there is no other way.
    return inInnoDb.isEmpty() || inInnoDb.get(0).equals("ON");
  }

  private void lookForCascades(String table) throws SQLException {
    for (String sql :
        session.query("SHOW CREATE TABLE " + qualified(table), row -> row.getString(2))) {
      Matcher key = ACTING_FOREIGN_KEY.matcher(sql);
      while (key.find()) {
        cautions.add(
            new Finding(
                "",
                "connection %s: rows of table `%s` that its foreign key `%s` changes (%s) do not come into the server's log; so what is written of them stays as it was"
                    .formatted(database.name(), table, key.group(1), key.group(3)),
                "change them first, in the application or in a trigger BEFORE DELETE or UPDATE of %s"
                    .formatted(key.group(2))));
      }
    }
  }

  private void checkSettings() throws SQLException {
    Map<String, String> settings = new HashMap<>();
    session.query(
        "SHOW GLOBAL VARIABLES WHERE variable_name IN"
            + " ('log_bin', 'binlog_format', 'binlog_row_image', 'binlog_row_value_options',"
            + " 'log_bin_compress')",
        row -> settings.put(row.getString(1), row.getString(2)));
    if (!settings.getOrDefault("log_bin", "OFF").equals("ON")) {
      findings.add(
          new Finding(
              "",
              "connection " + database.name() + ": the server keeps no binary log (log_bin is OFF)",
              "restart it with log_bin, binlog_format=ROW and a server_id in its configuration"));
      return;
    }
    checkSetting(settings, "binlog_format", "ROW");
    checkSetting(settings, "binlog_row_image", "FULL");
    if (!settings.getOrDefault("binlog_row_value_options", "").isEmpty()) {
      checkSetting(settings, "binlog_row_value_options", "");
    }
    if (settings.getOrDefault("log_bin_compress", "OFF").equals("ON")) {
      findings.add(
          new Finding(
              "",
              "connection "
                  + database.name()
                  + ": the server compresses its log (log_bin_compress is ON), so its rows cannot"
                  + " be read",
              "SET GLOBAL log_bin_compress = OFF, and the same in its configuration"));
    }
  }

  private void checkSetting(Map<String, String> settings, String setting, String needed) {
    String value = settings.getOrDefault(setting, needed);
    if (!value.equalsIgnoreCase(needed)) {
      findings.add(
          new Finding(
              "",
              "connection "
                  + database.name()
                  + ": the server's "
                  + setting
                  + " is "
                  + value
                  + ", so its log does not hold whole rows",
              "SET GLOBAL "
                  + setting
                  + " = '"
                  + needed
                  + "', and the same in its configuration; writers must connect anew"));
    }
  }

  private void checkPrivileges(boolean mariadb) throws SQLException {
    Set<String> granted = globalPrivileges(mariadb);
    if (granted.contains("ALL PRIVILEGES")) {
      return;
    }
    List<String> missing = new ArrayList<>();
    if (!granted.contains("REPLICATION SLAVE")) {
      missing.add("REPLICATION SLAVE");
    }
    // MariaDB calls it BINLOG MONITOR since 10.5, and took the old name for it ever since.
    if (!granted.contains("REPLICATION CLIENT")
        && !granted.contains("BINLOG MONITOR")
        && !granted.contains("SUPER")) {
      missing.add(mariadb ? "BINLOG MONITOR" : "REPLICATION CLIENT");
    }
    if (!granted.contains("RELOAD") && !granted.contains("FLUSH_TABLES")) {
      missing.add("RELOAD");
    }
    if (!missing.isEmpty()) {
      String list = String.join(", ", missing);
      findings.add(
          new Finding(
              "user",
              "connection "
                  + database.name()
                  + ": user `"
                  + database.user()
                  + "` lacks the privileges to read the binary log: "
                  + list,
              "GRANT " + list + " ON *.* TO " + grantee()));
    }
  }

  private Set<String> globalPrivileges(boolean mariadb) throws SQLException {
    // MariaDB adds the role's grants by itself; MySQL only when it is told to use the role.
    String role = mariadb ? "NONE" : session.texts("SELECT current_role()").get(0);
    String sql =
        role.equals("NONE") ? "SHOW GRANTS" : "SHOW GRANTS FOR current_user() USING " + role;
    Set<String> privileges = new TreeSet<>();
    for (String grant : session.texts(sql)) {
      Matcher matcher = GLOBAL_GRANT.matcher(grant);
      if (matcher.matches()) {
        privileges.addAll(List.of(matcher.group(1).split(", ")));
      }
    }
    return privileges;
  }

  private String grantee() throws SQLException {
    String user = session.texts("SELECT current_user()").get(0);
    int at = user.lastIndexOf('@');
    return "'" + user.substring(0, at) + "'@'" + user.substring(at + 1) + "'";
  }

  private String qualified(String table) {
    return quote(database.database()) + "." + quote(table);
  }

  static String quote(String name) {
    return "`" + name.replace("`", "``") + "`";
  }
}
