package io.widebeam.flow;

import io.widebeam.change.TableId;
import io.widebeam.flow.RandomSql.Sql;
import io.widebeam.flow.RandomSql.ValueType;
import io.widebeam.simulation.ColumnType;
import io.widebeam.simulation.Table;
import io.widebeam.simulation.Table.Column;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.bson.BsonBoolean;
import org.bson.BsonDateTime;
import org.bson.BsonDecimal128;
import org.bson.BsonInt32;
import org.bson.BsonInt64;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.bson.types.Decimal128;

/** Random tables and dbt models over them, as texts; the same for the same random numbers. */
final class RandomModels {
  private static final String SOURCE = "tp";
  private static final String OTHER_SOURCE = "other";
  private static final String TARGET = "ap";
  private static final String DATABASE = "tptest";
  private static final int KEYS = 7;
  private static final int DEPTH = 2;

  private static final List<Duration> PERIODS =
      List.of(Duration.ZERO, Duration.ofSeconds(1), Duration.ofMinutes(1));

  /** Names that are words of SQL's too, and need backticks only where MySQL reserves them. */
  private static final Map<ColumnType, List<String>> NAMES =
      Map.of(
          ColumnType.INT, List.of("n", "value", "count"),
          ColumnType.DECIMAL, List.of("price", "result", "rank"),
          ColumnType.STRING, List.of("name", "user", "language"),
          ColumnType.DATETIME, List.of("created_at", "time", "timestamp"),
          ColumnType.DATE, List.of("day", "date", "month"),
          ColumnType.BOOLEAN, List.of("flag", "position", "group"));

  private static final Set<String> RESERVED = Set.of("rank", "group");

  private static final List<String> TEXTS = List.of("", "a", "A", "b c", " ä", "it's", "10");
  private static final List<String> NUMBERS = List.of("-1.50", "0.00", "0.25", "2.00", "99.99");

  private static final List<LocalDateTime> TIMES =
      List.of(
          LocalDateTime.of(1969, 12, 31, 23, 59, 59),
          LocalDateTime.of(2024, 2, 28, 0, 0),
          LocalDateTime.of(2024, 2, 29, 10, 0, 0),
          LocalDateTime.of(2024, 3, 1, 9, 30, 5),
          LocalDateTime.of(2024, 12, 31, 18, 5, 7));

  /**
   * A model.
   *
   * @param query what H2 is asked for the same rows
   * @param input how H2 is asked for the number of rows that go into a model's only group; empty
   *     for models that have not just one
   */
  record Written(Model model, String query, String input) {}

  private final Random random;
  private final Map<TableRef, Table> tables = new LinkedHashMap<>();
  private final List<Written> models = new ArrayList<>();

  private RandomModels(Random random) {
    this.random = random;
  }

  static RandomModels of(Random random) {
    RandomModels made = new RandomModels(random);
    made.makeTables();
    made.makeModels();
    return made;
  }

  Map<TableRef, Table> tables() {
    return tables;
  }

  List<Written> models() {
    return models;
  }

  Flow flow() {
    Flow flow =
        Flow.named("simulated")
            .connection(Connection.mysql(SOURCE, "h", 3306, DATABASE, "cdc", ""))
            .connection(Connection.mysql(OTHER_SOURCE, "h", 3306, "others", "cdc", ""))
            .connection(Connection.jdbc(TARGET, "jdbc:postgresql://h/aptest", "u", "p"));
    for (Written written : models) {
      flow = flow.model(written.model());
    }
    return flow;
  }

  @Override
  public String toString() {
    return models.stream()
        .map(
            one ->
                "-- "
                    + one.model().name()
                    + " every "
                    + one.model().every()
                    + "\n"
                    + one.model().text()
                    + "\n-- of H2:\n"
                    + one.query())
        .collect(Collectors.joining("\n\n"));
  }

  // Tables

  private void makeTables() {
    int count = 2 + random.nextInt(3);
    for (int i = 0; i < count; i++) {
      String source = random.nextInt(4) == 0 && i > 0 ? OTHER_SOURCE : SOURCE;
      String name = "t" + i;
      List<Column> columns = new ArrayList<>();
      ColumnType id = any(ColumnType.INT, ColumnType.INT, ColumnType.BIGINT, ColumnType.STRING);
      columns.add(new Column("id", id, keys(id)));
      boolean composite = random.nextInt(4) == 0;
      if (composite) {
        columns.add(Column.of("no", ColumnType.INT, 3));
      }
      for (String reference : List.of("a_id", "b_id")) {
        ColumnType type =
            any(ColumnType.INT, ColumnType.BIGINT, ColumnType.DECIMAL, ColumnType.STRING);
        columns.add(new Column(reference, type, keys(type)));
      }
      for (ColumnType type : NAMES.keySet().stream().sorted().toList()) {
        if (random.nextInt(4) > 0) {
          columns.add(new Column(any(NAMES.get(type)), type, values(type)));
        }
      }
      tables.put(
          new TableRef(source, name),
          new Table(
              new TableId(source, FlowSimulation.NAMESPACE, name),
              columns,
              composite ? any(List.of("id", "no"), List.of("no", "id")) : List.of("id")));
    }
  }

  private static List<BsonValue> keys(ColumnType type) {
    return type == ColumnType.STRING ? values(type) : Column.of("id", type, KEYS).values();
  }

  private static List<BsonValue> values(ColumnType type) {
    return switch (type) {
      case INT -> Stream.of(-1, 0, 1, 2, 5).<BsonValue>map(BsonInt32::new).toList();
      case BIGINT -> Stream.of(-1L, 0L, 1L, 2L, 5L).<BsonValue>map(BsonInt64::new).toList();
      case DECIMAL ->
          NUMBERS.stream()
              .<BsonValue>map(text -> new BsonDecimal128(new Decimal128(new BigDecimal(text))))
              .toList();
      case STRING -> TEXTS.stream().<BsonValue>map(BsonString::new).toList();
      case DATETIME -> TIMES.stream().<BsonValue>map(RandomModels::millis).toList();
      case DATE ->
          TIMES.stream().<BsonValue>map(time -> millis(time.toLocalDate().atStartOfDay())).toList();
      case BOOLEAN -> List.of(BsonBoolean.TRUE, BsonBoolean.FALSE);
    };
  }

  private static BsonDateTime millis(LocalDateTime time) {
    return new BsonDateTime(time.toInstant(ZoneOffset.UTC).toEpochMilli());
  }

  private static ValueType type(ColumnType type) {
    return switch (type) {
      case INT, BIGINT -> ValueType.INTEGER;
      case DECIMAL -> ValueType.DECIMAL;
      case STRING -> ValueType.TEXT;
      case DATETIME -> ValueType.DATETIME;
      case DATE -> ValueType.DATE;
      case BOOLEAN -> ValueType.BOOLEAN;
    };
  }

  // Models

  private void makeModels() {
    boolean ephemeral = random.nextInt(4) == 0;
    List<Output> rows = joinModel("m0", ephemeral);
    if (ephemeral || random.nextInt(3) > 0) {
      From from = new From();
      from.ofModel("m0", rows);
      groupingModel("m1", from);
    }
    if (random.nextInt(4) == 0) {
      groupingModel("m2", joins());
    }
  }

  /** A column of a model's result. */
  private record Output(String name, Sql value) {}

  /** What is read, as the model says it, and as H2 is told. */
  private final class From {
    final StringBuilder text = new StringBuilder();
    final StringBuilder asked = new StringBuilder();
    final List<Sql> columns = new ArrayList<>();
    final List<String> aliases = new ArrayList<>();
    final List<Table> joined = new ArrayList<>();

    void ofModel(String model, List<Output> outputs) {
      boolean renamed = random.nextBoolean();
      String alias = renamed ? "r" : model;
      text.append("{{ ref('").append(model).append("') }}").append(renamed ? " r" : "");
      asked.append(model).append(" ").append(alias);
      for (Output output : outputs) {
        String name = output.name();
        columns.add(
            new Sql(
                random.nextBoolean() ? written(name, true) : alias + "." + written(name),
                alias + ".`" + name + "`",
                output.value().type(),
                output.value().scale(),
                false));
      }
    }

    /** Columns that no other table has may be named without their table. */
    void name() {
      for (int i = 0; i < aliases.size(); i++) {
        for (Column column : joined.get(i).columns()) {
          boolean one =
              joined.stream()
                      .flatMap(table -> table.columns().stream())
                      .filter(other -> other.name().equals(column.name()))
                      .count()
                  == 1;
          String prefix = one && random.nextBoolean() ? "" : aliases.get(i) + ".";
          columns.add(column(i, column, prefix));
        }
      }
    }

    Sql column(int index, Column column, String prefix) {
      return new Sql(
          prefix + written(column.name(), prefix.isEmpty()),
          aliases.get(index) + ".`" + column.name() + "`",
          type(column.type()),
          column.type() == ColumnType.DECIMAL ? 2 : 0,
          false);
    }

    List<Sql> columnsOf(int index) {
      return joined.get(index).columns().stream()
          .map(column -> column(index, column, aliases.get(index) + "."))
          .toList();
    }
  }

  /** A name as people write it, in backticks or not, and in upper or lower case. */
  private String written(String name) {
    return written(name, false);
  }

  private String written(String name, boolean alone) {
    // Some words are read as names only behind a table's: value, as in `value NOT IN (1)`.
    boolean isWord = alone && (name.equals("no") || isOfNames(name));
    if (RESERVED.contains(name) || isWord || random.nextInt(4) == 0) {
      return "`" + name + "`";
    }
    return random.nextInt(8) == 0 ? name.toUpperCase(java.util.Locale.ROOT) : name;
  }

  private static boolean isOfNames(String name) {
    return NAMES.values().stream().anyMatch(names -> names.contains(name));
  }

  private From joins() {
    From from = new From();
    int joins = random.nextInt(4);
    for (int i = 0; i <= joins; i++) {
      Map.Entry<TableRef, Table> entry = any(List.copyOf(tables.entrySet()));
      String name = entry.getKey().table();
      String alias = from.aliases.contains(name) || random.nextInt(3) > 0 ? "j" + i : name;
      from.aliases.add(alias);
      from.joined.add(entry.getValue());
      String table = named(entry.getKey());
      String as = alias.equals(name) ? "" : any(" ", " AS ") + alias;
      if (i == 0) {
        from.text.append(table).append(as);
        from.asked.append(name).append(' ').append(alias);
        continue;
      }
      boolean inner = random.nextInt(4) == 0;
      List<Sql> conditions = conditions(from, from.aliases.size() - 1);
      if (conditions.isEmpty()) {
        from.aliases.remove(from.aliases.size() - 1);
        from.joined.remove(from.joined.size() - 1);
        continue;
      }
      String and = any(" AND ", "\n    and ");
      from.text
          .append(
              inner ? any("\nJOIN ", "\ninner join ") : any("\nLEFT JOIN ", "\nleft outer join "))
          .append(table)
          .append(as)
          .append(" ON ")
          .append(conditions.stream().map(Sql::text).collect(Collectors.joining(and)));
      from.asked
          .append(inner ? " JOIN " : " LEFT JOIN ")
          .append(name)
          .append(' ')
          .append(alias)
          .append(" ON ")
          .append(conditions.stream().map(Sql::asked).collect(Collectors.joining(" AND ")));
    }
    from.name();
    return from;
  }

  private String named(TableRef table) {
    String name = table.table();
    String source = table.connection();
    String dbt = "{{ source('" + source + "', '" + name + "') }}";
    return source.equals(SOURCE)
        ? any(dbt, name, "`" + name + "`", DATABASE + "." + name, source + "." + name)
        : any(dbt, source + "." + name);
  }

  /**
   * The equalities of a join, and perhaps what the joined table's rows must be; empty if the tables
   * have nothing to compare.
   */
  private List<Sql> conditions(From from, int index) {
    List<Sql> own = from.columnsOf(index);
    List<Sql> others = from.columnsOf(random.nextInt(index));
    List<Sql> conditions = new ArrayList<>();
    // By all of the primary key there is one match at most.
    List<String> key = random.nextBoolean() ? from.joined.get(index).primaryKey() : List.of();
    int equalities = key.isEmpty() ? 1 + random.nextInt(5) / 4 : key.size();
    for (int i = 0; i < equalities; i++) {
      int number = i;
      List<Sql> children =
          key.isEmpty()
              ? references(own)
              : own.stream()
                  .filter(column -> column.asked().endsWith("`" + key.get(number) + "`"))
                  .toList();
      equality(random.nextInt(8) == 0 ? own : children, others).ifPresent(conditions::add);
    }
    if (conditions.isEmpty()) {
      equality(own, others).ifPresent(conditions::add);
    }
    if (!conditions.isEmpty() && random.nextInt(4) == 0) {
      Sql filter = new RandomSql(random, own).condition(1);
      conditions.add(random.nextInt(conditions.size() + 1), filter);
    }
    return conditions;
  }

  /** That one of these equals one of those, mostly of such as are there to be joined. */
  private Optional<Sql> equality(List<Sql> own, List<Sql> others) {
    List<Sql> parents = random.nextInt(8) == 0 ? others : references(others);
    List<Sql> found = new ArrayList<>();
    for (Sql child : own) {
      for (Sql parent : parents) {
        if (isComparable(child.type(), parent.type())) {
          boolean childFirst = random.nextBoolean();
          found.add(
              RandomSql.call(
                  ValueType.BOOLEAN,
                  "%s = %s",
                  childFirst ? child : parent,
                  childFirst ? parent : child));
        }
      }
    }
    return found.isEmpty() ? Optional.empty() : Optional.of(any(found));
  }

  private static List<Sql> references(List<Sql> columns) {
    return columns.stream().filter(column -> column.asked().matches(".*`(.*id|no)`")).toList();
  }

  private static boolean isComparable(ValueType a, ValueType b) {
    return a == b || (a.isNumber() && b.isNumber());
  }

  private List<Sql> where(RandomSql sql) {
    List<Sql> conditions = new ArrayList<>();
    // Few, so that rows are left.
    for (int i = random.nextInt(4) / 2; i > 0; i--) {
      conditions.add(sql.condition(random.nextInt(DEPTH)));
    }
    return conditions;
  }

  private static String where(List<Sql> conditions, Function<Sql, String> as) {
    return conditions.isEmpty()
        ? ""
        : "\nWHERE " + conditions.stream().map(as).collect(Collectors.joining("\n  AND "));
  }

  private List<Output> joinModel(String name, boolean ephemeral) {
    From from = joins();
    RandomSql sql = new RandomSql(random, from.columns);
    List<Sql> where = where(sql);
    List<Output> outputs = new ArrayList<>();
    List<String> items = new ArrayList<>();
    List<String> asked = new ArrayList<>();
    if (random.nextInt(6) == 0) {
      int of = random.nextInt(from.aliases.size());
      boolean all = from.aliases.size() == 1 && random.nextBoolean();
      items.add(all ? "*" : from.aliases.get(of) + ".*");
      for (Column column : from.joined.get(of).columns()) {
        Sql value = from.column(of, column, "");
        outputs.add(new Output(column.name(), value));
        asked.add(value.asked() + " AS `" + column.name() + "`");
      }
    }
    for (int i = 1 + random.nextInt(3); i >= 0; i--) {
      Sql value = random.nextBoolean() ? any(from.columns) : sql.any(DEPTH);
      add(value, outputs, items, asked);
    }
    model(
        name,
        ephemeral ? "ephemeral" : any("view", "table", "incremental"),
        "SELECT " + String.join(",\n  ", items) + "\nFROM " + from.text + where(where, Sql::text),
        "SELECT " + String.join(", ", asked) + " FROM " + from.asked + where(where, Sql::asked),
        "");
    return outputs;
  }

  /** Adds a column of the result, under a name of its own. */
  private void add(Sql value, List<Output> outputs, List<String> items, List<String> asked) {
    // Otherwise than what is read, of which GROUP BY would take such a name to be.
    String prefix = "m" + models.size() + "_";
    Set<String> taken = new HashSet<>();
    outputs.forEach(output -> taken.add(output.name()));
    String own = value.asked().replaceFirst("^[a-z0-9]+\\.`([a-z_]+)`$", "$1");
    boolean isColumn = !own.equals(value.asked()) && !taken.contains(own);
    if (isColumn && random.nextInt(3) == 0) {
      // In upper case it would be called so.
      String text = value.text().replaceAll("[^.`]+(`?)$", own + "$1");
      items.add(text);
      outputs.add(new Output(own, value));
      asked.add(value.asked() + " AS `" + own + "`");
      return;
    }
    String name = prefix + outputs.size();
    items.add(value.text() + any(" AS ", " as ") + name);
    outputs.add(new Output(name, value));
    asked.add(value.asked() + " AS `" + name + "`");
  }

  private void groupingModel(String name, From from) {
    RandomSql sql = new RandomSql(random, from.columns);
    List<Sql> where = where(sql);
    if (random.nextInt(8) == 0) {
      distinctModel(name, from, sql, where);
      return;
    }
    Map<String, Sql> keys = new LinkedHashMap<>();
    for (int i = random.nextInt(10) == 0 ? 0 : 1 + random.nextInt(5) / 3; i > 0; i--) {
      Sql key = random.nextBoolean() ? any(from.columns) : sql.anyOfColumns(DEPTH - 1);
      keys.putIfAbsent(key.asked(), key);
    }
    Groups groups = new Groups(sql);
    List<Output> outputs = new ArrayList<>();
    List<String> items = new ArrayList<>();
    List<String> asked = new ArrayList<>();
    List<String> groupBy = new ArrayList<>();
    for (Sql key : keys.values()) {
      Sql known = groups.know(key, "k");
      boolean shown = random.nextInt(5) > 0;
      if (shown) {
        add(known, outputs, items, asked);
      }
      String alias = shown ? outputs.get(outputs.size() - 1).name() : "";
      groupBy.add(
          shown && random.nextInt(4) == 0
              ? alias.startsWith("m") && random.nextBoolean()
                  ? alias
                  : String.valueOf(outputs.size())
              : key.text());
    }
    for (int i = 1 + random.nextInt(3); i > 0; i--) {
      add(groups.aggregate(), outputs, items, asked);
    }
    if (random.nextBoolean()) {
      add(groups.outside().any(2), outputs, items, asked);
    }
    if (random.nextInt(4) == 0) {
      Sql count = groups.know(RandomSql.call(ValueType.INTEGER, "COUNT(*)"), "m");
      Sql sum = groups.know(RandomSql.call(ValueType.DECIMAL, "SUM(1)"), "m");
      add(new RandomSql(random, List.of()).quotient(sum, count), outputs, items, asked);
    }
    String having = "";
    String askedHaving = "";
    if (random.nextInt(5) == 0) {
      Sql condition = groups.outside().condition(1);
      having = "\nHAVING " + condition.text();
      askedHaving = " WHERE " + condition.asked();
    }
    String rows = " FROM " + from.asked + where(where, Sql::asked);
    String text =
        "SELECT\n  "
            + String.join(",\n  ", items)
            + "\nFROM "
            + from.text
            + where(where, Sql::text)
            + (groupBy.isEmpty()
                ? ""
                : any("\nGROUP BY ", "\ngroup by ") + String.join(", ", groupBy))
            + having;
    // H2 finds a group's expression in others only where it is a column, and knows neither the
    // numbers nor, in HAVING, the names of the result's columns: it is told of the groups first.
    String query =
        "SELECT "
            + String.join(", ", asked)
            + " FROM (SELECT "
            + String.join(", ", groups.inner)
            + rows
            + (keys.isEmpty() ? "" : " GROUP BY " + String.join(", ", keys.keySet()))
            + ") g"
            + askedHaving;
    model(name, "table", text, query, keys.isEmpty() ? "SELECT COUNT(*)" + rows : "");
  }

  private void distinctModel(String name, From from, RandomSql sql, List<Sql> where) {
    List<Output> outputs = new ArrayList<>();
    List<String> items = new ArrayList<>();
    List<String> asked = new ArrayList<>();
    for (int i = 1 + random.nextInt(2); i >= 0; i--) {
      add(sql.anyOfColumns(2), outputs, items, asked);
    }
    model(
        name,
        "table",
        "SELECT DISTINCT "
            + String.join(", ", items)
            + " FROM "
            + from.text
            + where(where, Sql::text),
        "SELECT DISTINCT "
            + String.join(", ", asked)
            + " FROM "
            + from.asked
            + where(where, Sql::asked),
        "");
  }

  /** What is known of a group. */
  private final class Groups {
    private final RandomSql sql;
    private final List<String> inner = new ArrayList<>();
    private final List<Sql> known = new ArrayList<>();

    Groups(RandomSql sql) {
      this.sql = sql;
    }

    /** Has H2 compute it for every group; what it is called there. */
    Sql know(Sql value, String prefix) {
      String name = prefix + inner.size();
      inner.add(value.asked() + " AS " + name);
      Sql made = new Sql(value.text(), "g." + name, value.type(), value.scale(), false);
      known.add(made);
      return made;
    }

    /** Expressions over groups. */
    RandomSql outside() {
      return new RandomSql(random, known);
    }

    Sql aggregate() {
      Sql any = sql.anyOfColumns(random.nextInt(DEPTH));
      Sql number = sql.of(any(ValueType.INTEGER, ValueType.DECIMAL), 2);
      Sql value = number.isConstant() || random.nextBoolean() ? any : number;
      boolean computes = value.type().isNumber() || value.type() == ValueType.BOOLEAN;
      ValueType sum = value.type() == ValueType.BOOLEAN ? ValueType.INTEGER : value.type();
      return know(
          switch (random.nextInt(10)) {
            case 0 -> RandomSql.call(ValueType.INTEGER, any("COUNT(*)", "count(*)"));
            case 1 -> RandomSql.call(ValueType.INTEGER, "COUNT(%s)", value);
            case 2, 3 ->
                RandomSql.call(
                    ValueType.INTEGER, any("COUNT(DISTINCT %s)", "count(distinct %s)"), value);
            case 4 -> RandomSql.call(value.type(), "MIN(%s)", value).scaled(value.scale());
            case 5 -> RandomSql.call(value.type(), "MAX(%s)", value).scaled(value.scale());
            case 6, 7 ->
                computes && value.scale() >= 0
                    ? average(value)
                    : RandomSql.call(value.type(), "max(%s)", value).scaled(value.scale());
            default ->
                computes
                    ? RandomSql.call(
                            sum == ValueType.INTEGER ? ValueType.DECIMAL : sum, "SUM(%s)", value)
                        .scaled(value.scale())
                    : RandomSql.call(ValueType.INTEGER, "count(%s)", value);
          },
          "m");
    }

    /** With four digits more than the values have, where H2 has another number. */
    private Sql average(Sql value) {
      int scale = value.scale() + 4;
      return RandomSql.call(
              ValueType.DECIMAL,
              "AVG(%s)",
              "ROUND(AVG(CAST(%s AS NUMERIC(60, 30))), " + scale + ")",
              value)
          .scaled(scale);
    }
  }

  private void model(String name, String materialized, String text, String query, String input) {
    String config = "{{ config(materialized='" + materialized + "') }}\n";
    String comment = any("", "-- what it's for\n", "/* by `hand` */ ", "{# dbt's #}\n");
    models.add(
        new Written(
            Model.of(name, config + comment + text + any("", ";", "\n"))
                .from(SOURCE)
                .every(any(PERIODS)),
            query,
            input));
  }

  @SafeVarargs
  private <T> T any(T... values) {
    return values[random.nextInt(values.length)];
  }

  private <T> T any(List<T> values) {
    return values.get(random.nextInt(values.size()));
  }
}
