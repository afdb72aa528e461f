package io.widebeam.flow;

import io.widebeam.cdc.DriverTls;
import io.widebeam.change.TableId;
import io.widebeam.sql.SqlType;
import io.widebeam.view.Collation;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;

/** Looks into Postgres servers. */
final class PostgresCatalog {
  private static final String UNKNOWN_DATABASE = "3D000";

  /** The database that every server has, to ask for the names of the others. */
  private static final String MAINTENANCE_DATABASE = "postgres";

  /** The type whose blanks at the end count for nothing. */
  private static final String BLANK_PADDED = "char";

  /** Beyond so many, expressions take a numeric for one of any precision. */
  private static final int MAX_DIGITS = 60;

  private final Connection.Database database;
  private final JdbcSession session;
  private final List<Finding> findings = new ArrayList<>();

  private PostgresCatalog(Connection.Database database, JdbcSession session) {
    this.database = database;
    this.session = session;
  }

  static SourceDescription describe(Connection.Database database, Set<String> tables) {
    try (JdbcSession session = open(database, database.database())) {
      return new PostgresCatalog(database, session).describe(tables);
    } catch (SQLException e) {
      return SourceDescription.unreached(
          UNKNOWN_DATABASE.equals(e.getSQLState())
              ? unknownDatabase(database)
              : JdbcSession.failure(database, e));
    }
  }

  static JdbcSession open(Connection.Database database, String name) throws SQLException {
    Properties properties = new Properties();
    properties.put("user", database.user());
    properties.put("password", database.password().reveal());
    properties.put("connectTimeout", Long.toString(JdbcSession.CONNECT_TIMEOUT.toSeconds()));
    properties.put("socketTimeout", Long.toString(JdbcSession.READ_TIMEOUT.toSeconds()));
    properties.putAll(DriverTls.postgres(database.properties()));
    String host = database.host().contains(":") ? "[" + database.host() + "]" : database.host();
    String url = "jdbc:postgresql://" + host + ":" + database.port() + "/" + name;
    return JdbcSession.open(new org.postgresql.Driver(), url, properties);
  }

  private static Finding unknownDatabase(Connection.Database database) {
    List<String> names = List.of();
    try (JdbcSession session = open(database, MAINTENANCE_DATABASE)) {
      names = session.texts("SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1");
    } catch (SQLException e) {
      // The names are for a suggestion only.
    }
    return new Finding(
        "database",
        "connection " + database.name() + ": there is no database `" + database.database() + "`",
        Suggestions.amongNames(database.database(), "databases", names));
  }

  /** All texts compare by their characters, but for those of a few types and collations. */
  static Map<TextComparison.Columns, TextComparison> compareTexts(
      Connection.Database database, Set<TextComparison.Columns> pairs) {
    Map<TextComparison.Columns, TextComparison> comparisons = new HashMap<>();
    try (JdbcSession session = open(database, database.database())) {
      for (TextComparison.Columns pair : pairs) {
        String parent = comparisonOf(session, pair.parentTable(), pair.parent());
        String child = comparisonOf(session, pair.childTable(), pair.child());
        if (parent.equals(BLANK_PADDED) && child.equals(BLANK_PADDED)) {
          comparisons.put(
              pair, new TextComparison.ByCollation(Collation.padded(BLANK_PADDED), true));
        } else if (!parent.isEmpty() || !child.isEmpty()) {
          String which = parent.isEmpty() || parent.equals(child) ? pair.child() : pair.parent();
          String how = parent.isEmpty() ? child : parent;
          comparisons.put(
              pair,
              new TextComparison.Refused(
                  how.equals(BLANK_PADDED)
                      ? "`%s` ignores blanks at the end of texts, and the column it is joined to does"
                              .formatted(which)
                          + " not"
                      : "joins outside of the database cannot follow how `%s` compares texts: %s"
                          .formatted(which, how),
                  "give both columns the type text or varchar, of a deterministic collation: ALTER"
                      + " TABLE ... ALTER COLUMN ... TYPE text COLLATE \"C\""));
        }
      }
    } catch (SQLException e) {
      TextComparison refused =
          new TextComparison.Refused(
              "connection "
                  + database.name()
                  + " does not tell how it compares texts: "
                  + JdbcSession.message(e, database.password()),
              "let the user read the tables");
      pairs.forEach(pair -> comparisons.putIfAbsent(pair, refused));
    }
    return comparisons;
  }

  /** What is special about a column's texts; empty if nothing is, or it holds none. */
  private static String comparisonOf(JdbcSession session, String table, String column)
      throws SQLException {
    int dot = table.indexOf('.');
    return session
        .texts(
            // A domain counts as what it is made of.
            "SELECT CASE WHEN coalesce(b.typname, t.typname) = 'bpchar' AND"
                + " coalesce(l.collisdeterministic, true) THEN 'char'"
                + " WHEN coalesce(b.typname, t.typname) = 'citext' THEN 'citext'"
                + " ELSE l.collname::text END"
                + " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
                + " JOIN pg_namespace n ON n.oid = c.relnamespace"
                + " JOIN pg_type t ON t.oid = a.atttypid"
                + " LEFT JOIN pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype"
                + " LEFT JOIN pg_collation l ON l.oid = a.attcollation"
                + " WHERE n.nspname = ? AND c.relname = ? AND a.attname = ?"
                + " AND (coalesce(b.typname, t.typname) IN ('bpchar', 'citext')"
                + " OR NOT l.collisdeterministic)",
            dot < 0 ? "public" : table.substring(0, dot),
            table.substring(dot + 1),
            column)
        .stream()
        .findFirst()
        .orElse("");
  }

  /** A row of the server's own catalog. */
  private record Relation(
      long oid,
      String schema,
      String name,
      String kind,
      long estimate,
      String replicaIdentity,
      boolean readable,
      boolean owned) {

    /** As a flow names it. */
    String label() {
      return schema.equals("public") ? name : schema + "." + name;
    }

    String quoted() {
      return quote(schema) + "." + quote(name);
    }
  }

  static String quote(String name) {
    return '"' + name.replace("\"", "\"\"") + '"';
  }

  private SourceDescription describe(Set<String> names) throws SQLException {
    Map<String, Relation> relations = new HashMap<>();
    session.query(
        "SELECT c.oid, n.nspname, c.relname, c.relkind::text, c.reltuples::bigint,"
            + " c.relreplident::text,"
            + " has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'),"
            + " pg_has_role(c.relowner, 'USAGE')"
            + " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            + " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')"
            + " AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')",
        row -> {
          Relation relation =
              new Relation(
                  row.getLong(1),
                  row.getString(2),
                  row.getString(3),
                  row.getString(4),
                  row.getLong(5),
                  row.getString(6),
                  row.getBoolean(7),
                  row.getBoolean(8));
          relations.put(relation.schema() + "." + relation.name(), relation);
          return relations.put(relation.label(), relation);
        });
    Map<String, TableDescription> tables = new HashMap<>();
    Map<String, Finding> unreadable = new HashMap<>();
    List<Relation> captured = new ArrayList<>();
    for (String name : names) {
      Relation relation = relations.get(name);
      if (relation != null) {
        Finding problem = problem(relation);
        if (problem != null) {
          unreadable.put(name, problem);
        } else {
          captured.add(relation);
          tables.put(name, table(relation));
        }
      }
    }
    checkServer(captured);
    return new SourceDescription(
        ConnectorSettings.POSTGRESQL,
        true,
        tables,
        unreadable,
        relations.values().stream().map(Relation::label).distinct().sorted().toList(),
        findings);
  }

  /** What keeps a relation from being captured, or null if nothing does. */
  private Finding problem(Relation relation) throws SQLException {
    String name = relation.label();
    if (relation.kind().equals("p")) {
      return new Finding(
          "",
          "`" + name + "` is a partitioned table, which is not supported yet",
          "read a table without partitions");
    }
    if (!relation.kind().equals("r")) {
      return JdbcSession.isView(name);
    }
    if (!relation.readable()) {
      return new Finding(
          "",
          "user `" + database.user() + "` may not read table `" + name + "`",
          "GRANT USAGE ON SCHEMA "
              + relation.schema()
              + " TO "
              + database.user()
              + "; GRANT SELECT ON "
              + relation.quoted()
              + " TO "
              + database.user());
    }
    if (!Set.of("d", "f").contains(relation.replicaIdentity())) {
      return new Finding(
          "",
          "the log of table `" + name + "` does not tell its rows by their primary key",
          "ALTER TABLE " + relation.quoted() + " REPLICA IDENTITY FULL");
    }
    return deferrableKey(relation);
  }

  /** A key that is checked late: a row may take the key of one that takes another key after it. */
  private Finding deferrableKey(Relation relation) throws SQLException {
    return session
        .query(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
                + " WHERE conrelid = ? AND contype = 'p' AND condeferrable",
            row -> {
              String key = quote(row.getString(1));
              return new Finding(
                  "",
                  "the primary key of table `"
                      + relation.label()
                      + "` is DEFERRABLE, so rows may pass on their keys in an order that the log"
                      + " does not tell from deletions",
                  "ALTER TABLE "
                      + relation.quoted()
                      + " DROP CONSTRAINT "
                      + key
                      + ", ADD CONSTRAINT "
                      + key
                      + " "
                      + row.getString(2).replaceFirst(" DEFERRABLE.*", ""));
            },
            relation.oid())
        .stream()
        .findFirst()
        .orElse(null);
  }

  private TableDescription table(Relation relation) throws SQLException {
    Map<String, SqlType> types = new LinkedHashMap<>();
    session.query(
        // A domain counts as what it is made of.
        "SELECT a.attname, coalesce(b.typname, t.typname)::text, coalesce(b.typtype, t.typtype)::text,"
            + " CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END"
            + " FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
            + " LEFT JOIN pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype"
            + " WHERE a.attrelid = ? AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        row -> types.put(row.getString(1), type(row.getString(2), row.getString(3), row.getInt(4))),
        relation.oid());
    List<List<String>> uniqueKeys = new ArrayList<>();
    session.query(
        "SELECT array_agg(a.attname::text ORDER BY k.position)"
            + " FROM pg_index i"
            + " CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, position)"
            + " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum"
            + " WHERE i.indrelid = ? AND i.indisunique AND NOT i.indisprimary AND i.indimmediate"
            + " AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL"
            + " AND k.position <= i.indnkeyatts"
            + " GROUP BY i.indexrelid HAVING bool_and(a.attnotnull) ORDER BY 1",
        row -> uniqueKeys.add(List.of((String[]) row.getArray(1).getArray())),
        relation.oid());
    List<String> primaryKey =
        session.texts(
            "SELECT a.attname FROM pg_index i"
                + " CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, position)"
                + " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum"
                + " WHERE i.indrelid = ? AND i.indisprimary ORDER BY k.position",
            relation.oid());
    return new TableDescription(
            new TableId(database.name(), relation.schema(), relation.name()),
            List.copyOf(types.keySet()),
            primaryKey,
            session.rows(relation.quoted(), relation.estimate()),
            relation.replicaIdentity().equals("f"),
            types,
            uniqueKeys)
        .withDefinitions(definitions(relation));
  }

  private List<ColumnDefinition> definitions(Relation relation) throws SQLException {
    return session.query(
        // A domain counts as what it is made of.
        "SELECT a.attname,"
            + " format_type(COALESCE(NULLIF(t.typbasetype, 0), a.atttypid),"
            + " CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END),"
            + " pg_get_expr(d.adbin, d.adrelid)"
            + " FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
            + " LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
            + " WHERE a.attrelid = ? AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        row ->
            new ColumnDefinition(
                row.getString(1),
                SourceTypes.postgres(row.getString(2)),
                SourceTypes.constant(row.getString(3), false)),
        relation.oid());
  }

  /**
   * What expressions know of a type.
   *
   * @param modifier for a numeric, its precision and scale; below zero if it has none
   */
  private static SqlType type(String name, String kind, int modifier) {
    if (kind.equals("e")) {
      return SqlType.TEXT;
    }
    return switch (name) {
      case "int2", "int4", "int8" -> SqlType.INTEGER;
      case "numeric" -> modifier < 0 ? SqlType.ANY_DECIMAL : numeric(modifier - 4);
      case "float4", "float8" -> SqlType.DOUBLE;
      case "bool" -> SqlType.BOOLEAN;
      case "text", "varchar", "bpchar", "char", "name", "citext", "uuid", "time", "timetz" ->
          SqlType.TEXT;
      case "date" -> SqlType.DATE;
      case "timestamp", "timestamptz" -> SqlType.DATETIME;
      case "bytea" -> SqlType.BYTES;
      default -> SqlType.OTHER;
    };
  }

  /** Scales below zero, which few tables have, are as good as none. */
  private static SqlType numeric(int modifier) {
    int precision = modifier >> 16 & 0xFFFF;
    int scale = modifier & 0x7FF;
    return precision + scale > MAX_DIGITS ? SqlType.ANY_DECIMAL : SqlType.decimal(precision, scale);
  }

  private void checkServer(List<Relation> captured) throws SQLException {
    String connection = "connection " + database.name() + ": ";
    String walLevel = session.texts("SHOW wal_level").get(0);
    if (!walLevel.equals("logical")) {
      findings.add(
          new Finding(
              "",
              connection + "the server's wal_level is " + walLevel + ", so its log has no rows",
              "ALTER SYSTEM SET wal_level = logical, and restart the server"));
    }
    boolean superuser =
        session
            .query(
                "SELECT rolsuper FROM pg_roles WHERE rolname = current_user",
                row -> row.getBoolean(1))
            .contains(true);
    if (superuser) {
      return;
    }
    boolean mayReplicate =
        session
            .query(
                "SELECT rolreplication OR EXISTS (SELECT FROM pg_roles r"
                    + " WHERE r.rolname = 'rds_replication' AND pg_has_role(r.oid, 'MEMBER'))"
                    + " FROM pg_roles WHERE rolname = current_user",
                row -> row.getBoolean(1))
            .contains(true);
    if (!mayReplicate) {
      findings.add(
          new Finding(
              "user",
              connection + "user `" + database.user() + "` may not read the log",
              "ALTER ROLE " + database.user() + " REPLICATION"));
    }
    if (database.properties().containsKey("publication.name")) {
      return;
    }
    boolean mayCreate =
        session
            .query(
                "SELECT has_database_privilege(current_database(), 'CREATE')",
                row -> row.getBoolean(1))
            .contains(true);
    List<String> foreign =
        captured.stream().filter(table -> !table.owned()).map(Relation::label).sorted().toList();
    if (!mayCreate || !foreign.isEmpty()) {
      findings.add(
          new Finding(
              "user",
              connection
                  + "user `"
                  + database.user()
                  + "` may not publish "
                  + (foreign.isEmpty() ? "tables of this database" : String.join(", ", foreign)),
              "grant it CREATE on the database and the role that owns the tables, or create the"
                  + " publication yourself and name it: properties: {publication.name: ...,"
                  + " publication.autocreate.mode: disabled}"));
    }
  }
}
