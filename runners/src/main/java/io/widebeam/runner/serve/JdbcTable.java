package io.widebeam.runner.serve;

import io.widebeam.runner.serve.TableShape.Column;
import io.widebeam.runner.serve.TableShape.Kind;
import io.widebeam.sink.jdbc.FlatTable;
import io.widebeam.sink.jdbc.ReadPool;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.Date;
import java.sql.JDBCType;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A table of a warehouse.
 *
 * @param connection the connection's name, for messages
 * @param name the table's, after its schema's and a dot if it is not in the usual one
 */
record JdbcTable(String connection, ReadPool pool, String name, String versionColumn)
    implements TargetTable {
  private static final int TIMEOUT_SECONDS = 20;

  /** "There is no such table": of PostgreSQL, and of the others. */
  private static final Set<String> NO_TABLE = Set.of("42P01", "42S02");

  /** The tables that Widebeam writes, among those that a pattern stands for. */
  static List<String> namesOfTablesWith(String versionColumn, String connection, ReadPool pool)
      throws UnavailableException {
    try (Connection session = pool.connect();
        ResultSet columns =
            session
                .getMetaData()
                .getColumns(session.getCatalog(), session.getSchema(), "%", versionColumn)) {
      List<String> names = new ArrayList<>();
      while (columns.next()) {
        names.add(columns.getString("TABLE_NAME"));
      }
      return names;
    } catch (SQLException e) {
      throw new UnavailableException(connection, e);
    }
  }

  @Override
  public Optional<TableShape> shape() throws UnavailableException {
    try (Connection session = pool.connect()) {
      Set<String> keys = keys(session);
      String sql = "SELECT * FROM " + table(session) + " WHERE 1 = 0";
      try (Statement statement = session.createStatement();
          ResultSet nothing = statement.executeQuery(sql)) {
        ResultSetMetaData metaData = nothing.getMetaData();
        List<Column> columns = new ArrayList<>();
        for (int i = 1; i <= metaData.getColumnCount(); i++) {
          String column = metaData.getColumnLabel(i);
          columns.add(
              new Column(
                  column,
                  kind(metaData.getColumnType(i)),
                  keys.contains(column),
                  column.equals(versionColumn) || column.equals(FlatTable.ROW_KEY)));
        }
        return Optional.of(new TableShape(columns));
      }
    } catch (SQLException e) {
      if (NO_TABLE.contains(String.valueOf(e.getSQLState()))) {
        return Optional.empty();
      }
      throw new UnavailableException(connection, e);
    }
  }

  private Set<String> keys(Connection session) throws SQLException {
    int dot = name.indexOf('.');
    String table = name.substring(dot + 1);
    // MySQL's schemas are JDBC's catalogs.
    String schema = session.getSchema();
    String catalog = session.getCatalog();
    if (dot >= 0 && schema == null) {
      catalog = name.substring(0, dot);
    } else if (dot >= 0) {
      schema = name.substring(0, dot);
    }
    Set<String> keys = new HashSet<>();
    try (ResultSet columns = session.getMetaData().getPrimaryKeys(catalog, schema, table)) {
      while (columns.next()) {
        keys.add(columns.getString("COLUMN_NAME"));
      }
    }
    return keys;
  }

  private static Kind kind(int type) {
    return switch (JDBCType.valueOf(type)) {
      case DATE, TIMESTAMP, TIMESTAMP_WITH_TIMEZONE -> Kind.DATE;
      case DECIMAL, NUMERIC, DOUBLE, FLOAT, REAL -> Kind.DECIMAL;
      case BIGINT, INTEGER, SMALLINT, TINYINT -> Kind.INTEGER;
      case CHAR, VARCHAR, LONGVARCHAR, NCHAR, NVARCHAR, LONGNVARCHAR -> Kind.TEXT;
      default -> Kind.OTHER;
    };
  }

  @Override
  public Rows rows(TableShape shape, Optional<Filter> filter, int limit)
      throws UnavailableException {
    return query(
        session -> {
          List<String> order =
              Stream.concat(
                      shape.date().stream().map(date -> quoted(session, date.name()) + " DESC"),
                      shape.columns().stream()
                          .filter(Column::key)
                          .map(key -> quoted(session, key.name())))
                  .distinct()
                  .toList();
          return "SELECT "
              + shape.columns().stream()
                  .map(column -> quoted(session, column.name()))
                  .collect(Collectors.joining(", "))
              + " FROM "
              + table(session)
              + where(session, filter, "")
              + (order.isEmpty() ? "" : " ORDER BY " + String.join(", ", order))
              + " LIMIT "
              + (limit + 1);
        },
        shape,
        filter,
        result -> {
          List<List<String>> rows = new ArrayList<>();
          while (result.next()) {
            List<String> row = new ArrayList<>();
            for (int i = 1; i <= shape.columns().size(); i++) {
              row.add(text(result, i, shape.columns().get(i - 1).kind()));
            }
            rows.add(Collections.unmodifiableList(row));
          }
          boolean more = rows.size() > limit;
          return new Rows(
              shape.columns().stream().map(Column::name).toList(),
              more ? rows.subList(0, limit) : rows,
              more);
        });
  }

  private static String text(ResultSet row, int index, Kind kind) throws SQLException {
    if (kind == Kind.DECIMAL) {
      BigDecimal number = row.getBigDecimal(index);
      return number == null ? null : number.toPlainString();
    }
    // As the server writes it, dates in the session's time zone: UTC.
    String text = row.getString(index);
    return text == null ? null : TargetTable.cut(text);
  }

  @Override
  public List<DailySum> dailySums(
      TableShape shape, String date, String number, Optional<Filter> filter, int limit)
      throws UnavailableException {
    return query(
        session -> {
          String day = "CAST(" + quoted(session, date) + " AS DATE)";
          return "SELECT "
              + day
              + ", SUM("
              + quoted(session, number)
              + ") FROM "
              + table(session)
              + where(session, filter, quoted(session, date) + " IS NOT NULL")
              + " GROUP BY "
              + day
              + " ORDER BY "
              + day
              + " DESC LIMIT "
              + limit;
        },
        shape,
        filter,
        result -> {
          List<DailySum> sums = new ArrayList<>();
          while (result.next()) {
            BigDecimal sum = result.getBigDecimal(2);
            if (sum != null) {
              sums.add(new DailySum(result.getString(1), sum));
            }
          }
          Collections.reverse(sums);
          return sums;
        });
  }

  @Override
  public Values values(TableShape shape, String column, int limit) throws UnavailableException {
    return query(
        session ->
            "SELECT DISTINCT "
                + quoted(session, column)
                + " FROM "
                + table(session)
                + " WHERE "
                + quoted(session, column)
                + " IS NOT NULL ORDER BY 1 LIMIT "
                + (limit + 1),
        shape,
        Optional.empty(),
        result -> {
          List<String> values = new ArrayList<>();
          while (result.next()) {
            values.add(result.getString(1));
          }
          boolean more = values.size() > limit;
          return new Values(more ? values.subList(0, limit) : values, more);
        });
  }

  private interface Sql {
    String in(Connection session);
  }

  private interface Reader<T> {
    T read(ResultSet result) throws SQLException;
  }

  private <T> T query(Sql sql, TableShape shape, Optional<Filter> filter, Reader<T> reader)
      throws UnavailableException {
    try (Connection session = pool.connect();
        PreparedStatement statement = session.prepareStatement(sql.in(session))) {
      statement.setQueryTimeout(TIMEOUT_SECONDS);
      if (filter.isPresent()) {
        bind(session, statement, shape, filter.get());
      }
      try (ResultSet result = statement.executeQuery()) {
        return reader.read(result);
      }
    } catch (SQLException e) {
      throw new UnavailableException(connection, e);
    }
  }

  /** By the column's type, since PostgreSQL compares no others. */
  private static void bind(
      Connection session, PreparedStatement statement, TableShape shape, Filter filter)
      throws SQLException {
    String value = filter.value();
    try {
      switch (shape.find(filter.column()).orElseThrow().kind()) {
        case DECIMAL, INTEGER -> statement.setBigDecimal(1, new BigDecimal(value.strip()));
        case DATE -> statement.setDate(1, Date.valueOf(value.strip()));
        case TEXT -> statement.setString(1, value);
        case OTHER -> {
          if (session.getMetaData().getDatabaseProductName().contains("Postgre")) {
            statement.setObject(1, value, Types.OTHER);
          } else {
            statement.setString(1, value);
          }
        }
      }
    } catch (IllegalArgumentException e) {
      // No row has a value that is none of the column's type.
      statement.setNull(1, Types.NULL);
    }
  }

  private static String where(Connection session, Optional<Filter> filter, String condition) {
    List<String> conditions = new ArrayList<>();
    filter.ifPresent(wanted -> conditions.add(quoted(session, wanted.column()) + " = ?"));
    if (!condition.isEmpty()) {
      conditions.add(condition);
    }
    return conditions.isEmpty() ? "" : " WHERE " + String.join(" AND ", conditions);
  }

  private String table(Connection session) {
    int dot = name.indexOf('.');
    return dot < 0
        ? quoted(session, name)
        : quoted(session, name.substring(0, dot)) + "." + quoted(session, name.substring(dot + 1));
  }

  private static String quoted(Connection session, String identifier) {
    try {
      String quote = session.getMetaData().getIdentifierQuoteString();
      return quote + identifier.replace(quote, quote + quote) + quote;
    } catch (SQLException e) {
      throw new IllegalStateException("the driver does not know how it quotes names", e);
    }
  }
}
