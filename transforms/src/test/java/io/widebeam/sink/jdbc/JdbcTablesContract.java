package io.widebeam.sink.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.widebeam.change.BsonRow;
import io.widebeam.document.DocumentChange;
import io.widebeam.join.JoinKeyEncoder;
import io.widebeam.sink.jdbc.ColumnType.Kind;
import io.widebeam.sink.jdbc.FlatTable.Column;
import io.widebeam.sink.jdbc.FlatTable.UnwoundArray;
import io.widebeam.sink.jdbc.SourceColumns.SourceColumn;
import java.io.Closeable;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.TimeZone;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import javax.annotation.Nullable;
import org.apache.beam.runners.core.metrics.MetricsContainerImpl;
import org.apache.beam.sdk.metrics.MetricName;
import org.apache.beam.sdk.metrics.MetricsEnvironment;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonInt64;
import org.bson.BsonString;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the sink promises, whatever the database. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
abstract class JdbcTablesContract {
  static final ColumnType INT = ColumnType.of(Kind.INT32);

  static final FlatTable ORDERS =
      FlatTable.of(
          "orders",
          List.of(Column.of("id", INT), Column.of("a", ColumnType.text(40))),
          List.of("id"));

  static final FlatTable ITEMS =
      new FlatTable(
          "items",
          List.of(
              Column.of("id", ColumnType.text(20)),
              Column.of("city", ColumnType.text(40)),
              new Column("items_n", INT, 1, List.of("n")),
              new Column("items_sku", ColumnType.text(20), 1, List.of("sku"))),
          List.of("id"),
          List.of(new UnwoundArray(List.of("items"), List.of("n"))),
          "_version");

  private JdbcTarget target;

  /** A new database. */
  abstract JdbcTarget createDatabase() throws Exception;

  /** An empty database, which the test has for itself. */
  final JdbcTarget target() {
    return target;
  }

  /** A connection of the test's own, with auto-commit. */
  final Connection connect() throws SQLException {
    return JdbcTables.connect(target());
  }

  /** A name as the database quotes it. */
  abstract String quoted(String name);

  @BeforeEach
  void createTarget() throws Exception {
    target = createDatabase();
  }

  final void execute(String sql) throws SQLException {
    try (Connection connection = connect();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /** All rows, columns with blanks between, in order. */
  final List<String> rows(String sql) throws SQLException {
    try (Connection connection = connect();
        Statement statement = connection.createStatement();
        ResultSet found = statement.executeQuery(sql)) {
      List<String> rows = new ArrayList<>();
      while (found.next()) {
        List<String> columns = new ArrayList<>();
        for (int i = 1; i <= found.getMetaData().getColumnCount(); i++) {
          columns.add(String.valueOf(found.getString(i)));
        }
        rows.add(String.join(" ", columns));
      }
      return rows;
    }
  }

  final List<String> table(FlatTable table) throws SQLException {
    String order = quoted(table.primaryKey().get(0));
    return rows("SELECT * FROM " + quoted(table.name()) + " ORDER BY " + order);
  }

  /** A writer on its own, whose bundles the test ends. */
  final class Writer implements Closeable {
    private final MetricsContainerImpl metrics = new MetricsContainerImpl("write");
    private final WriteRowsFn fn;

    Writer(FlatTable table) throws Exception {
      this(table, null);
    }

    Writer(FlatTable table, @Nullable SourceColumns columns) throws Exception {
      fn = new WriteRowsFn(new TableWrite(target(), table, columns));
      fn.setup();
    }

    Writer write(DocumentChange... changes) throws Exception {
      try (var scope = MetricsEnvironment.scopedMetricsContainer(metrics)) {
        fn.startBundle();
        for (DocumentChange change : changes) {
          fn.process(change);
        }
        fn.finishBundle();
      }
      return this;
    }

    long counter(String name) {
      return metrics.getCounter(MetricName.named("widebeam", name)).getCumulative();
    }

    @Override
    public void close() {
      fn.teardown();
    }
  }

  static RawBsonDocument document(String json) {
    return RawBsonDocument.parse(json);
  }

  static DocumentChange put(int id, long version, String a) {
    RawBsonDocument after = document("{id: " + id + ", a: '" + a + "'}");
    return new DocumentChange(new BsonInt32(id), null, after, true, true, version, 0);
  }

  static DocumentChange delete(int id, long version) {
    return new DocumentChange(new BsonInt32(id), null, null, true, true, version, 0);
  }

  static DocumentChange order(
      String id, @Nullable String before, @Nullable String after, boolean certain, long version) {
    return new DocumentChange(
        new BsonString(id),
        before == null ? null : document(before),
        after == null ? null : document(after),
        before != null,
        certain,
        version,
        0);
  }

  @Test
  void rowsAreInsertedUpdatedAndDeleted() throws Exception {
    try (Writer writer = new Writer(ORDERS)) {
      writer.write(put(1, 1, "a"), put(2, 1, "b"), put(3, 1, "c"));
      assertThat(table(ORDERS)).containsExactly("1 a 1", "2 b 1", "3 c 1");
      writer.write(put(2, 2, "B"), delete(3, 2), put(4, 2, "d"));
      assertThat(table(ORDERS)).containsExactly("1 a 1", "2 B 2", "4 d 2");
      assertThat(writer.counter("documentsInserted")).isEqualTo(4);
      assertThat(writer.counter("documentsWritten")).isEqualTo(5);
      assertThat(writer.counter("documentsDeleted")).isEqualTo(1);
      assertThat(writer.counter("staleWritesRefused")).isZero();
    }
  }

  @Test
  void whatIsNotNewerIsRefused() throws Exception {
    try (Writer writer = new Writer(ORDERS)) {
      writer.write(put(1, 5, "new"), put(2, 5, "new"));
      writer.write(put(1, 5, "again"), put(1, 4, "old"), delete(2, 4), put(2, 3, "old"));
      assertThat(table(ORDERS)).containsExactly("1 new 5", "2 new 5");
      assertThat(writer.counter("staleWritesRefused")).isEqualTo(4);
    }
  }

  @Test
  void theServerItselfRefusesWhatIsNotNewer() throws Exception {
    try (Writer writer = new Writer(ORDERS)) {
      writer.write(put(1, 5, "new"));
    }
    try (Connection connection = connect()) {
      Dialect dialect = Dialect.of(connection);
      try (var statement = connection.prepareStatement(dialect.upsert(ORDERS, 2))) {
        int index = 1;
        for (int id = 1; id <= 2; id++) {
          dialect.bind(statement, index++, INT, new BsonInt32(id));
          dialect.bind(statement, index++, ColumnType.text(0), new BsonString("late"));
          statement.setLong(index++, 5);
        }
        statement.executeUpdate();
      }
    }
    assertThat(table(ORDERS)).containsExactly("1 new 5", "2 late 5");
  }

  @Test
  void aDeleteIsNotUndoneByAnOlderUpsert() throws Exception {
    try (Writer writer = new Writer(ORDERS)) {
      writer.write(put(1, 1, "a"));
      writer.write(delete(1, 3));
      writer.write(put(1, 2, "late"));
      assertThat(table(ORDERS)).isEmpty();
      writer.write(put(1, 4, "back"));
      assertThat(table(ORDERS)).containsExactly("1 back 4");
      assertThat(writer.counter("staleWritesRefused")).isEqualTo(1);
    }
  }

  @Test
  void ofSeveralChangesInABundleTheNewestIsWritten() throws Exception {
    try (Writer writer = new Writer(ORDERS)) {
      writer.write(put(1, 2, "b"), put(1, 1, "a"), put(2, 1, "a"), delete(2, 2), put(1, 3, "c"));
      assertThat(table(ORDERS)).containsExactly("1 c 3");
      assertThat(writer.counter("documentsWritten")).isEqualTo(1);
    }
  }

  @Test
  void aBundleOfManyRowsGoesOutInSeveralBatches() throws Exception {
    try (Writer writer = new Writer(ORDERS)) {
      writer.write(
          IntStream.range(0, 1777).mapToObj(i -> put(i, 1, "a")).toArray(DocumentChange[]::new));
      writer.write(
          IntStream.range(0, 1777)
              .mapToObj(i -> i % 3 == 0 ? delete(i, 2) : put(i, 2, "b"))
              .toArray(DocumentChange[]::new));
      assertThat(
              rows(
                  "SELECT "
                      + quoted("a")
                      + ", count(*) FROM "
                      + quoted("orders")
                      + " GROUP BY "
                      + quoted("a")))
          .containsExactly("b 1184");
      assertThat(writer.counter("documentsInserted")).isEqualTo(1777);
      assertThat(writer.counter("documentsDeleted")).isEqualTo(593);
    }
  }

  @Test
  void arraysAreUnwoundAndKeptByDifference() throws Exception {
    String first = "{id: 'o', city: 'Rome', items: []}";
    String second = "{id: 'o', city: 'Rome', items: [{n: 1, sku: 'x'}, {n: 2, sku: 'y'}]}";
    String third = "{id: 'o', city: 'Rome', items: [{n: 2, sku: 'z'}]}";
    try (Writer writer = new Writer(ITEMS)) {
      writer.write(order("o", null, first, true, 1));
      assertThat(table(ITEMS)).containsExactly("o o Rome null null 1");
      writer.write(order("o", first, second, true, 2));
      assertThat(table(ITEMS)).containsExactly("o/1 o Rome 1 x 2", "o/2 o Rome 2 y 2");
      writer.write(order("o", second, third, true, 3));
      assertThat(table(ITEMS)).containsExactly("o/2 o Rome 2 z 3");
      writer.write(order("o", third, null, true, 4));
      assertThat(table(ITEMS)).isEmpty();
      assertThat(writer.counter("documentsInserted")).isEqualTo(3);
      assertThat(writer.counter("documentsDeleted")).isEqualTo(3);
    }
  }

  @Test
  void changesOfAnUnwoundDocumentConvergeInAnyOrder() throws Exception {
    String first = "{id: 'o', city: 'Rome', items: [{n: 1, sku: 'x'}, {n: 2, sku: 'y'}]}";
    String second = "{id: 'o', city: 'Rome', items: [{n: 2, sku: 'z'}, {n: 3, sku: 'w'}]}";
    String third = "{id: 'o', city: 'Rome', items: [{n: 1, sku: 'x'}, {n: 2, sku: 'z'}]}";
    List<DocumentChange> changes =
        List.of(
            order("o", null, first, false, 1),
            order("o", first, second, true, 2),
            order("o", second, third, true, 3));
    List<List<Integer>> orders =
        List.of(
            List.of(0, 1, 2),
            List.of(0, 2, 1),
            List.of(1, 0, 2),
            List.of(1, 2, 0),
            List.of(2, 0, 1),
            List.of(2, 1, 0));
    int version = 0;
    for (List<Integer> order : orders) {
      execute("DROP TABLE IF EXISTS " + quoted("items"));
      try (Writer writer = new Writer(ITEMS)) {
        for (int i : order) {
          DocumentChange change = changes.get(i);
          writer.write(
              new DocumentChange(
                  change.key(),
                  change.before(),
                  change.after(),
                  change.existed(),
                  change.certain(),
                  version + change.version(),
                  0));
        }
        assertThat(
                rows(
                    "SELECT "
                        + quoted("_key")
                        + ", "
                        + quoted("items_sku")
                        + " FROM "
                        + quoted("items")
                        + " ORDER BY 1"))
            .as("in order %s", order)
            .containsExactly("o/1 x", "o/2 z");
      }
      version += 10;
    }
  }

  @Test
  void anUncertainDocumentReplacesWhateverIsThereOfIt() throws Exception {
    String after = "{id: 'o', city: 'Oslo', items: [{n: 1, sku: 'x'}]}";
    String other = "{id: 'p', city: 'Bern', items: [{n: 1, sku: 'x'}]}";
    try (Writer writer = new Writer(ITEMS)) {
      writer.write(
          order("o", null, "{id: 'o', city: 'Rome', items: [{n: 7}, {n: 8}]}", true, 3),
          order("p", null, other, true, 3));
      writer.write(order("o", after, after, false, 9));
      assertThat(table(ITEMS)).containsExactly("o/1 o Oslo 1 x 9", "p/1 p Bern 1 x 3");
      writer.write(order("o", null, "{id: 'o', city: 'late', items: [{n: 5}]}", true, 8));
      assertThat(table(ITEMS)).containsExactly("o/1 o Oslo 1 x 9", "p/1 p Bern 1 x 3");
      writer.write(order("o", null, null, false, 10));
      assertThat(table(ITEMS)).containsExactly("p/1 p Bern 1 x 3");
      assertThat(writer.counter("staleWritesRefused")).isEqualTo(1);
      assertThat(writer.counter("documentsDeleted")).isEqualTo(3);
    }
  }

  @Test
  void olderGenerationsAreSwept() throws Exception {
    try (Writer writer = new Writer(ORDERS)) {
      writer.write(put(1, 99, "old"), put(2, 100, "new"), put(3, 101, "new"));
      TableWrite write = new TableWrite(target(), ORDERS, null);
      try (SharedTable shared = SharedTable.open(write)) {
        assertThat(new BatchWriter(shared, write).deleteBelow(100)).isEqualTo(1);
      }
      assertThat(table(ORDERS)).containsExactly("2 new 100", "3 new 101");
    }
  }

  @Test
  void keysThatDifferInCaseAreDifferentRowsAndCompositeKeysWork() throws Exception {
    FlatTable stock =
        FlatTable.of(
            "stock",
            List.of(
                Column.of("shop", INT), Column.of("sku", ColumnType.text(20)), Column.of("n", INT)),
            List.of("sku", "shop"));
    try (Writer writer = new Writer(stock)) {
      for (long version = 1; version <= 2; version++) {
        for (String sku : List.of("a", "A", "ä", "a ")) {
          BsonDocument key =
              new BsonDocument("sku", new BsonString(sku)).append("shop", new BsonInt32(1));
          BsonDocument row = key.clone().append("n", new BsonInt64(version));
          writer.write(
              new DocumentChange(
                  key,
                  null,
                  new RawBsonDocument(row, new BsonDocumentCodec()),
                  false,
                  true,
                  version,
                  0));
        }
      }
      assertThat(table(stock)).hasSize(4).allMatch(row -> row.endsWith(" 2 2"));
      assertThat(writer.counter("documentsInserted")).isEqualTo(4);
      assertThat(writer.counter("documentsWritten")).isEqualTo(8);
    }
  }

  /** Every kind, with a value; what the database shows of it is the subclass's to say. */
  static final FlatTable TYPES =
      FlatTable.of(
          "types",
          List.of(
              Column.of("id", INT),
              Column.of("flag", ColumnType.of(Kind.BOOLEAN)),
              Column.of("small", ColumnType.of(Kind.INT16)),
              Column.of("large", ColumnType.of(Kind.INT64)),
              Column.of("money", ColumnType.decimal(20, 2)),
              Column.of("exact", ColumnType.decimal(38, 10)),
              Column.of("ratio", ColumnType.of(Kind.FLOAT64)),
              Column.of("name", ColumnType.text(0)),
              Column.of("bytes", ColumnType.binary(0)),
              Column.of("day", ColumnType.of(Kind.DATE)),
              Column.of("at", ColumnType.of(Kind.TIMESTAMP)),
              Column.of("moment", ColumnType.of(Kind.INSTANT)),
              Column.of("clock", ColumnType.of(Kind.TIME)),
              Column.of("took", ColumnType.of(Kind.DURATION)),
              Column.of("ident", ColumnType.of(Kind.UUID)),
              Column.of("extra", ColumnType.of(Kind.JSON))),
          List.of("id"));

  private static final String ALL_TYPES =
      "{id: 1, flag: true, small: -3, large: {$numberLong: '9007199254740993'}, money:"
          + " {$numberDecimal: '123456789012345678.90'}, exact: {$numberDecimal: '-0.0000000001'},"
          + " ratio: 0.1, name: \"O'Brien \\\\ 😀\", bytes: {$binary: {base64: 'AP9/', subType:"
          + " '00'}}, day: {$date: '2024-02-29T00:00:00Z'}, at: {$date:"
          + " '2024-02-29T12:30:15.125Z'}, moment: {$date: '1969-12-31T23:59:59.999Z'}, clock:"
          + " '23:59:58.123456', took: '100:00:01', ident: '11111111-2222-3333-4444-555555555555',"
          + " extra: {a: [1, {$numberDecimal: '2.50'}, null, 'x'], at: {$date:"
          + " '2024-02-29T00:00:00Z'}}}";

  /** The stored row as the database shows it as text, without the version. */
  abstract List<String> shownTypes();

  @Test
  void valuesOfAllTypesAreExact() throws Exception {
    try (Writer writer = new Writer(TYPES)) {
      DocumentChange nulls =
          new DocumentChange(new BsonInt32(2), null, document("{id: 2}"), false, true, 1, 0);
      writer.write(
          new DocumentChange(new BsonInt32(1), null, document(ALL_TYPES), false, true, 1, 0),
          nulls);
    }
    List<String> columns = TYPES.columns().stream().map(c -> quoted(c.name())).toList();
    List<String> first = new ArrayList<>();
    List<String> second = new ArrayList<>();
    for (String column : columns) {
      List<String> values =
          rows("SELECT " + column + " FROM " + quoted("types") + " ORDER BY " + quoted("id"));
      first.add(values.get(0));
      second.add(values.get(1));
    }
    assertThat(first).isEqualTo(shownTypes());
    assertThat(second.subList(1, second.size())).containsOnly("null");
  }

  @Test
  void anExistingTableThatFitsIsUsedAsItIs() throws Exception {
    execute(
        "CREATE TABLE "
            + quoted("orders")
            + " ("
            + quoted("a")
            + " VARCHAR(200), "
            + quoted("more")
            + " INT DEFAULT 7, "
            + quoted("id")
            + " BIGINT NOT NULL PRIMARY KEY, "
            + quoted("_version")
            + " BIGINT)");
    execute(
        "INSERT INTO "
            + quoted("orders")
            + " ("
            + quoted("id")
            + ", "
            + quoted("a")
            + ") VALUES (1, 'no version')");
    try (Writer writer = new Writer(ORDERS)) {
      writer.write(put(1, 1, "a"), put(2, 1, "b"));
    }
    assertThat(table(ORDERS)).containsExactlyInAnyOrder("a 7 1 1", "b 7 2 1");
  }

  @Test
  void anExistingTableThatDoesNotFitIsRefusedWithAllReasons() throws Exception {
    execute(
        "CREATE TABLE "
            + quoted("types")
            + " ("
            + quoted("id")
            + " SMALLINT, "
            + quoted("name")
            + " VARCHAR(20), "
            + quoted("money")
            + " NUMERIC(10, 2), "
            + quoted("must")
            + " INT NOT NULL)");
    FlatTable table =
        FlatTable.of(
            "types",
            List.of(
                Column.of("id", INT),
                Column.of("name", ColumnType.text(40)),
                Column.of("money", ColumnType.decimal(20, 2)),
                Column.of("missing", INT)),
            List.of("id"));
    List<Mismatch> mismatches;
    try (Connection connection = connect()) {
      mismatches = JdbcTables.check(connection, table, false);
    }
    assertThat(mismatches.stream().map(Mismatch::what).map(what -> what.replace('"', '`')))
        .satisfiesExactlyInAnyOrder(
            what ->
                assertThat(what)
                    .startsWith("column `id` of table `types` is ")
                    .endsWith(", which cannot hold every int32"),
            what ->
                assertThat(what)
                    .startsWith("column `name` of table `types` is ")
                    .contains("(20)")
                    .endsWith("text(40)"),
            what ->
                assertThat(what)
                    .startsWith("column `money` of table `types` is ")
                    .contains("(10, 2)")
                    .endsWith("decimal(20, 2)"),
            what -> assertThat(what).isEqualTo("table `types` has no column `missing`"),
            what ->
                assertThat(what)
                    .isEqualTo(
                        "table `types` has no column `_version`,"
                            + " which guards its rows against older writes"),
            what ->
                assertThat(what)
                    .isEqualTo(
                        "column `must` of table `types` must not be null,"
                            + " but nothing is written to it"),
            what ->
                assertThat(what)
                    .isEqualTo("table `types` has no primary key or unique index on `id`"));
    assertThatThrownBy(() -> new Writer(table))
        .isInstanceOf(JdbcTargetException.class)
        .hasMessageContaining("Cannot write to types at ")
        .hasMessageContaining("has no column `missing`");
  }

  @Test
  void theTableThatIsCreatedPassesTheCheck() throws Exception {
    for (FlatTable table : List.of(ORDERS, ITEMS, TYPES)) {
      try (Connection connection = connect()) {
        assertThat(JdbcTables.check(connection, table, false)).isEmpty();
        new Writer(table).close();
        assertThat(table(table)).isEmpty();
        assertThat(JdbcTables.check(connection, table, false)).as(table.name()).isEmpty();
      }
    }
  }

  @Test
  void groupsAreToldApartAlsoByNullsAndTellTheirKeys() throws Exception {
    FlatTable groups =
        FlatTable.ofGroups(
            "sales",
            List.of(
                Column.of("city", ColumnType.text(40)),
                Column.of("day", ColumnType.of(Kind.DATE)),
                Column.of("price", ColumnType.decimal(12, 2)),
                Column.of("n", ColumnType.of(Kind.INT64))),
            List.of("city", "day", "price"));
    List<String> keys =
        List.of(
            "{city: null, day: null, price: null}",
            "{city: '', day: null, price: null}",
            "{city: '~n', day: null, price: null}",
            "{city: 'a,b/c', day: {$date: '2024-10-05T00:00:00Z'}, price: {$numberDecimal:"
                + " '1.50'}}",
            "{city: 'Zürich', day: {$date: '1969-12-31T00:00:00Z'}, price: {$numberInt: '2'}}");
    try (Writer writer = new Writer(groups)) {
      for (String key : keys) {
        RawBsonDocument group = document(key);
        BsonDocument row = group.decode(new BsonDocumentCodec()).append("n", new BsonInt64(1));
        RawBsonDocument after = new RawBsonDocument(row, new BsonDocumentCodec());
        writer.write(new DocumentChange(group, null, after, 1, 0));
        writer.write(new DocumentChange(group, null, after, 2, 0));
      }
      assertThat(rows("SELECT COUNT(*) FROM " + quoted("sales"))).containsExactly("5");
      JoinKeyEncoder encoder = new JoinKeyEncoder(groups.documentKey());
      assertThat(JdbcTables.groups(target(), groups))
          .extracting(
              group ->
                  encoder.encodeWithNulls(
                      BsonRow.bytes(new RawBsonDocument(group, new BsonDocumentCodec()))))
          .containsExactlyInAnyOrderElementsOf(
              keys.stream()
                  .map(key -> encoder.encodeWithNulls(BsonRow.bytes(document(key))))
                  .toList());

      writer.write(new DocumentChange(document(keys.get(0)), null, null, 3, 0));
      for (BsonDocument group : JdbcTables.groups(target(), groups).subList(0, 2)) {
        writer.write(new DocumentChange(group, null, null, 3, 0));
      }
      assertThat(rows("SELECT COUNT(*) FROM " + quoted("sales"))).containsExactly("2");
    }
    try (Connection connection = connect()) {
      assertThat(JdbcTables.check(connection, groups, false)).isEmpty();
    }
  }

  @Test
  void theOneGroupOfEverythingIsARow() throws Exception {
    FlatTable total =
        FlatTable.ofGroups("total", List.of(Column.of("n", ColumnType.of(Kind.INT64))), List.of());
    try (Writer writer = new Writer(total)) {
      writer.write(new DocumentChange(document("{}"), null, document("{n: 1}"), 1, 0));
      writer.write(new DocumentChange(document("{}"), null, document("{n: 2}"), 2, 0));
      assertThat(rows("SELECT " + quoted("n") + " FROM " + quoted("total"))).containsExactly("2");
      assertThat(JdbcTables.groups(target(), total)).containsExactly(new BsonDocument());
    }
  }

  @Test
  void rowsAreFoundByKeysOfTimesWhateverTheTimeZoneOfJava() throws Exception {
    FlatTable table =
        FlatTable.of(
            "visits",
            List.of(
                Column.of("id", INT),
                Column.of("at", ColumnType.of(Kind.INSTANT)),
                Column.of("due", ColumnType.of(Kind.TIMESTAMP)),
                Column.of("clock", ColumnType.of(Kind.TIME)),
                Column.of("took", ColumnType.of(Kind.DURATION)),
                Column.of("n", INT)),
            List.of("id", "at", "due", "clock", "took"));
    String key =
        "id: 1, at: {$date: '2024-07-01T02:30:15.125Z'}, due: {$date: '2024-03-10T02:30:00Z'},"
            + " clock: '10:00:00', took: '-100:00:00.500000'";
    TimeZone before = TimeZone.getDefault();
    TimeZone.setDefault(TimeZone.getTimeZone("America/New_York"));
    try (Writer writer = new Writer(table)) {
      writer.write(
          new DocumentChange(document("{" + key + "}"), null, document("{n: 1}"), 1, 0),
          new DocumentChange(
              document("{" + key.replaceFirst("1", "2") + "}"), null, document("{n: 1}"), 1, 0));
      writer.write(new DocumentChange(document("{" + key + "}"), null, document("{n: 2}"), 2, 0));
      writer.write(new DocumentChange(document("{" + key + "}"), null, document("{n: 0}"), 1, 0));
      assertThat(rows("SELECT " + quoted("n") + " FROM " + quoted("visits") + " ORDER BY 1"))
          .containsExactly("1", "2");
      assertThat(writer.counter("documentsInserted")).isEqualTo(2);
      assertThat(writer.counter("staleWritesRefused")).isEqualTo(1);
      writer.write(new DocumentChange(document("{" + key + "}"), null, null, 3, 0));
      assertThat(rows("SELECT " + quoted("n") + " FROM " + quoted("visits"))).containsExactly("1");
      assertThat(writer.counter("documentsDeleted")).isEqualTo(1);
    } finally {
      TimeZone.setDefault(before);
    }
  }

  @Test
  void groupsOfTimesTellTheirKeysWhateverTheTimeZoneOfJava() throws Exception {
    FlatTable table =
        FlatTable.ofGroups(
            "sales",
            List.of(
                Column.of("at", ColumnType.of(Kind.INSTANT)),
                Column.of("due", ColumnType.of(Kind.TIMESTAMP)),
                Column.of("clock", ColumnType.of(Kind.TIME)),
                Column.of("took", ColumnType.of(Kind.DURATION)),
                Column.of("n", INT)),
            List.of("at", "due", "clock", "took"));
    TimeZone before = TimeZone.getDefault();
    TimeZone.setDefault(TimeZone.getTimeZone("America/New_York"));
    try (Writer writer = new Writer(table)) {
      RawBsonDocument group =
          document(
              "{at: {$date: '2024-07-01T02:30:15.125Z'}, due: {$date: '2024-03-10T02:30:00Z'},"
                  + " clock: '10:00:00.250000', took: '-100:00:00.500000'}");
      BsonDocument row = group.decode(new BsonDocumentCodec()).append("n", new BsonInt32(1));
      writer.write(
          new DocumentChange(group, null, new RawBsonDocument(row, new BsonDocumentCodec()), 1, 0));
      assertThat(JdbcTables.groups(target(), table)).containsExactly(group);
    } finally {
      TimeZone.setDefault(before);
    }
  }

  @Test
  void aDeleteIsSentAlsoWhereTheKeyReadsOtherwise() throws Exception {
    FlatTable table =
        FlatTable.of("shops", List.of(Column.of("at", ColumnType.of(Kind.TIME))), List.of("at"));
    try (Writer writer = new Writer(table)) {
      writer.write(new DocumentChange(new BsonString("09:00:00.50"), null, document("{}"), 1, 0));
      assertThat(table(table)).hasSize(1);
      writer.write(new DocumentChange(new BsonString("09:00:00.50"), null, null, 1, 0));
      assertThat(table(table)).hasSize(1);
      writer.write(new DocumentChange(new BsonString("09:00:00.50"), null, null, 2, 0));
      assertThat(table(table)).isEmpty();
    }
  }

  @Test
  void anExistingTableThatWouldRoundIsRefused() throws Exception {
    execute(
        "CREATE TABLE "
            + quoted("rounds")
            + " ("
            + quoted("id")
            + " INT NOT NULL PRIMARY KEY, "
            + quoted("due")
            + " "
            + timestamp(0)
            + ", "
            + quoted("at")
            + " "
            + timestamp(2)
            + ", "
            + quoted("clock")
            + " TIME(3), "
            + quoted("second")
            + " "
            + timestamp(0)
            + ", "
            + quoted("fine")
            + " "
            + timestamp(3)
            + ", "
            + quoted("_version")
            + " BIGINT)");
    FlatTable table =
        FlatTable.of(
            "rounds",
            List.of(
                Column.of("id", INT),
                Column.of("due", ColumnType.time(Kind.TIMESTAMP, 6)),
                Column.of("at", ColumnType.time(Kind.TIMESTAMP, 3)),
                Column.of("clock", ColumnType.time(Kind.TIME, 6)),
                Column.of("second", ColumnType.time(Kind.TIMESTAMP, 0)),
                Column.of("fine", ColumnType.time(Kind.TIMESTAMP, 6))),
            List.of("id"));
    try (Connection connection = connect()) {
      assertThat(JdbcTables.check(connection, table, false))
          .extracting(Mismatch::what)
          .satisfiesExactlyInAnyOrder(
              what ->
                  assertThat(what)
                      .startsWith("column `due` of table `rounds` is ")
                      .contains("(0)")
                      .endsWith(", which cannot hold every timestamp(6)"),
              what ->
                  assertThat(what)
                      .startsWith("column `at` of table `rounds` is ")
                      .contains("(2)")
                      .endsWith(", which cannot hold every timestamp(3)"),
              what ->
                  assertThat(what)
                      .startsWith("column `clock` of table `rounds` is ")
                      .contains("(3)")
                      .endsWith(", which cannot hold every time(6)"));
    }
  }

  /** A timestamp without a zone, with so many digits behind the point. */
  String timestamp(int digits) {
    return "TIMESTAMP(" + digits + ")";
  }

  @Test
  void aValueThatWouldBeRoundedOrCutIsRefused() throws Exception {
    execute(
        "CREATE TABLE "
            + quoted("exact")
            + " ("
            + quoted("id")
            + " INT NOT NULL PRIMARY KEY, "
            + quoted("amount")
            + " DECIMAL(10, 2), "
            + quoted("wide")
            + " DECIMAL(20, 6), "
            + quoted("whole")
            + " BIGINT, "
            + quoted("day")
            + " DATE, "
            + quoted("at")
            + " "
            + timestamp(0)
            + ", "
            + quoted("clock")
            + " TIME(0), "
            + quoted("_version")
            + " BIGINT)");
    FlatTable table =
        FlatTable.of(
            "exact",
            List.of(
                Column.of("id", INT),
                Column.of("amount", ColumnType.decimal(10, 2)),
                Column.of("wide", ColumnType.decimal(10, 2)),
                Column.of("whole", ColumnType.decimal(10, 0)),
                Column.of("day", ColumnType.of(Kind.DATE)),
                Column.of("at", ColumnType.of(Kind.TIMESTAMP)),
                Column.of("clock", ColumnType.of(Kind.TIME))),
            List.of("id"));
    try (Writer writer = new Writer(table)) {
      writer.write(
          new DocumentChange(
              new BsonInt32(1),
              null,
              document(
                  "{id: 1, amount: {$numberDecimal: '1.230'}, wide: {$numberDecimal: '1.234567'},"
                      + " whole: {$numberDecimal: '7.00'}, day: {$date: '2024-02-29T00:00:00Z'},"
                      + " at: {$date: '2024-02-29T12:30:15Z'}, clock: '10:00:00.000'}"),
              1,
              0));
      assertThat(rows("SELECT " + quoted("wide") + " FROM " + quoted("exact")))
          .containsExactly("1.234567");
      List<List<String>> refused =
          List.of(
              List.of("amount", "{$numberDecimal: '1.234'}", "1.234"),
              List.of("amount", "1.005", "1.005"),
              List.of("amount", "'1.234'", "1.234"),
              List.of("wide", "{$numberDecimal: '1.2345678'}", "1.2345678"),
              List.of("whole", "{$numberDecimal: '1.5'}", "1.5"),
              List.of("day", "{$date: '2024-02-29T12:30:15Z'}", "2024-02-29T12:30:15Z"),
              List.of("day", "'2024-02-29 12:30:15'", "2024-02-29 12:30:15"),
              List.of("at", "{$date: '2024-02-29T12:30:15.125Z'}", "2024-02-29T12:30:15.125Z"),
              List.of("at", "'2024-02-29 12:30:15.5'", "2024-02-29 12:30:15.5"),
              List.of("clock", "'10:00:00.5'", "10:00:00.5"),
              List.of("clock", "{$date: '2024-02-29T12:30:15Z'}", "2024-02-29T12:30:15Z"));
      for (List<String> value : refused) {
        assertThatThrownBy(
                () ->
                    writer.write(
                        new DocumentChange(
                            new BsonInt32(2),
                            null,
                            document("{id: 2, " + value.get(0) + ": " + value.get(1) + "}"),
                            1,
                            0)))
            .as("%s", value)
            .isInstanceOf(JdbcTargetException.class)
            .hasMessageStartingWith("Cannot write to exact at ")
            .hasMessageContaining("the row with key 2: column " + value.get(0) + " ")
            .hasMessageContaining(value.get(2));
      }
      assertThat(rows("SELECT " + quoted("id") + " FROM " + quoted("exact"))).containsExactly("1");
    }
  }

  @Test
  void aRowThatCannotBeStoredIsNamed() throws Exception {
    execute(
        "CREATE TABLE "
            + quoted("orders")
            + " ("
            + quoted("id")
            + " INT NOT NULL PRIMARY KEY, "
            + quoted("a")
            + " VARCHAR(40) CHECK ("
            + quoted("a")
            + " <> 'bad'), "
            + quoted("_version")
            + " BIGINT)");
    try (Writer writer = new Writer(ORDERS)) {
      assertThatThrownBy(() -> writer.write(put(1, 1, "good"), put(2, 1, "bad"), put(3, 1, "x")))
          .isInstanceOf(JdbcTargetException.class)
          .hasMessageStartingWith("Cannot write to orders at ")
          .hasMessageContaining("the row with key 2: was refused: ")
          .hasMessageNotContaining(target().password());
    }
    FlatTable narrow =
        FlatTable.of("big", List.of(Column.of("id", ColumnType.of(Kind.INT16))), List.of("id"));
    try (Writer writer = new Writer(narrow)) {
      RawBsonDocument row = document("{id: 1}");
      assertThatThrownBy(
              () -> writer.write(new DocumentChange(new BsonInt64(1L << 40), null, row, 1, 0)))
          .isInstanceOf(JdbcTargetException.class)
          .hasMessageContaining("1099511627776");
    }
  }

  @Test
  void columnsThatTheSourceGetsAreAddedWithWhatOlderRowsHave() throws Exception {
    SourceColumns columns =
        () ->
            List.of(
                new SourceColumn("id", INT, null),
                new SourceColumn("a", ColumnType.text(40), null),
                new SourceColumn("n", INT, "5"),
                new SourceColumn("note", ColumnType.text(0), "it's \\ new"));
    try (Writer writer = new Writer(ORDERS, columns)) {
      writer.write(put(1, 1, "a"));
      writer.write(
          put(2, 1, "b"),
          new DocumentChange(
              new BsonInt32(3), null, document("{id: 3, a: 'c', n: 8, note: 'z', gone: 1}"), 1, 0));
      assertThat(
              rows(
                  "SELECT "
                      + quoted("id")
                      + ", "
                      + quoted("n")
                      + ", "
                      + quoted("note")
                      + " FROM "
                      + quoted("orders")
                      + " ORDER BY 1"))
          .containsExactly("1 5 it's \\ new", "2 5 it's \\ new", "3 8 z");
      writer.write(put(3, 2, "d"));
    }
    // The columns are known now, and those that the table lacks are added at once.
    FlatTable later = ORDERS.withColumns(List.of(Column.of("n", INT), Column.of("m", INT)));
    SourceColumns more =
        () -> List.of(new SourceColumn("n", INT, "5"), new SourceColumn("m", INT, null));
    try (Connection connection = connect()) {
      assertThat(JdbcTables.check(connection, later, true)).isEmpty();
      assertThat(JdbcTables.check(connection, later, false)).hasSize(1);
      new Writer(later, more).close();
      assertThat(JdbcTables.check(connection, later, false)).isEmpty();
    }
  }
}
