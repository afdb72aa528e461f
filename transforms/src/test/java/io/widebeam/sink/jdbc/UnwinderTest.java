package io.widebeam.sink.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.document.DocumentChange;
import io.widebeam.sink.jdbc.ColumnType.Kind;
import io.widebeam.sink.jdbc.FlatTable.Column;
import io.widebeam.sink.jdbc.FlatTable.UnwoundArray;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import javax.annotation.Nullable;
import org.bson.BsonDocument;
import org.bson.BsonString;
import org.bson.BsonValue;
import org.bson.RawBsonDocument;
import org.junit.jupiter.api.Test;

class UnwinderTest {
  private static final ColumnType TEXT = ColumnType.text(0);
  private static final ColumnType INT = ColumnType.of(Kind.INT32);

  private static final FlatTable SHIPMENTS =
      new FlatTable(
          "shipments",
          List.of(
              Column.of("id", TEXT),
              new Column("customer_city", TEXT, 0, List.of("customer", "city")),
              new Column("items_n", INT, 1, List.of("n")),
              new Column("items_product_name", TEXT, 1, List.of("product", "name")),
              new Column("items_parcels_p", INT, 2, List.of("p"))),
          List.of("id"),
          List.of(
              new UnwoundArray(List.of("items"), List.of("n")),
              new UnwoundArray(List.of("parcels"), List.of("p"))),
          "_version");

  private static final String TWO_ITEMS =
      "{id: 'o/1', customer: {city: 'Rome'}, items: ["
          + "{n: 1, product: {name: 'pen'}, parcels: [{p: 7}, {p: 8}]}, {n: 2, parcels: []}]}";

  private static DocumentChange change(@Nullable String before, @Nullable String after) {
    return new DocumentChange(new BsonString("o/1"), document(before), document(after), 5, 0);
  }

  private static RawBsonDocument document(@Nullable String json) {
    return json == null ? null : RawBsonDocument.parse(json);
  }

  private static List<String> rows(RowChanges changes) {
    return changes.writes().stream()
        .map(
            write ->
                write.id()
                    + (write.isDelete()
                        ? " deleted"
                        : " "
                            + Arrays.stream(write.values())
                                .map(value -> Objects.requireNonNullElse(text(value), "-"))
                                .collect(Collectors.joining(" "))))
        .toList();
  }

  @Nullable
  private static String text(@Nullable BsonValue value) {
    return value == null ? null : RowKey.text(value);
  }

  @Test
  void everyInnermostElementIsARowAndAnEmptyArrayLeavesNulls() {
    RowChanges changes = new Unwinder(SHIPMENTS).unwind(change(null, TWO_ITEMS));

    assertThat(rows(changes))
        .containsExactly(
            "o~11/1/7 o/1 Rome 1 pen 7", "o~11/1/8 o/1 Rome 1 pen 8", "o~11/2 o/1 Rome 2 - -");
    assertThat(changes.whole()).isFalse();
  }

  @Test
  void aDocumentWithoutElementsIsOneRow() {
    assertThat(rows(new Unwinder(SHIPMENTS).unwind(change(null, "{id: 'o/1', items: []}"))))
        .containsExactly("o~11 o/1 - - - -");
    assertThat(rows(new Unwinder(SHIPMENTS).unwind(change(null, "{id: 'o/1'}"))))
        .containsExactly("o~11 o/1 - - - -");
  }

  @Test
  void onlyRowsThatDifferAreWrittenAndThoseThatAreGoneAreDeleted() {
    String after =
        "{id: 'o/1', customer: {city: 'Rome'}, items: ["
            + "{n: 1, product: {name: 'pen'}, parcels: [{p: 8}]}, {n: 2, parcels: [{p: 1}]}]}";

    assertThat(rows(new Unwinder(SHIPMENTS).unwind(change(TWO_ITEMS, after))))
        .containsExactly("o~11/2/1 o/1 Rome 2 - 1", "o~11/1/7 deleted", "o~11/2 deleted");
  }

  @Test
  void aChangeOfTheDocumentItselfIsInAllItsRows() {
    assertThat(
            rows(
                new Unwinder(SHIPMENTS)
                    .unwind(change(TWO_ITEMS, TWO_ITEMS.replace("Rome", "Oslo")))))
        .hasSize(3)
        .allMatch(row -> row.contains("Oslo"));
  }

  @Test
  void aDeletedDocumentTakesItsRowsAlong() {
    assertThat(rows(new Unwinder(SHIPMENTS).unwind(change(TWO_ITEMS, null))))
        .containsExactly("o~11/1/7 deleted", "o~11/1/8 deleted", "o~11/2 deleted");
  }

  @Test
  void anUncertainChangeComesWhole() {
    RawBsonDocument same = document(TWO_ITEMS);
    RowChanges changes =
        new Unwinder(SHIPMENTS)
            .unwind(new DocumentChange(new BsonString("o/1"), same, same, true, false, 5, 0));
    assertThat(changes.whole()).isTrue();
    assertThat(changes.writes()).hasSize(3);

    RowChanges unknownBefore =
        new Unwinder(SHIPMENTS)
            .unwind(new DocumentChange(new BsonString("o/1"), null, same, true, true, 5, 0));
    assertThat(unknownBefore.whole()).isTrue();

    RowChanges deleted =
        new Unwinder(SHIPMENTS)
            .unwind(new DocumentChange(new BsonString("o/1"), same, null, true, false, 5, 0));
    assertThat(deleted.whole()).isTrue();
    assertThat(deleted.writes()).isEmpty();
  }

  @Test
  void aWholeDocumentIsOneRowUnderItsCompositeKey() {
    FlatTable stock =
        FlatTable.of(
            "stock",
            List.of(Column.of("shop", INT), Column.of("product", TEXT), Column.of("n", INT)),
            List.of("product", "shop"));
    BsonValue key = BsonDocument.parse("{product: 'a,b', shop: 3}");
    RawBsonDocument row = document("{shop: 3, product: 'a,b', n: null}");

    assertThat(
            rows(new Unwinder(stock).unwind(new DocumentChange(key, null, row, true, true, 5, 0))))
        .containsExactly("a~2b,3 3 a,b -");
    assertThat(
            rows(new Unwinder(stock).unwind(new DocumentChange(key, null, null, true, true, 6, 0))))
        .containsExactly("a~2b,3 deleted");
  }

  @Test
  void keysThatDifferHaveTextsThatDifferAndNoneIsTooLong() {
    String longKey = "x".repeat(300);
    String first = RowKey.ofDocument(new BsonValue[] {new BsonString(longKey + "a")});
    String second = RowKey.ofDocument(new BsonValue[] {new BsonString(longKey + "b")});
    assertThat(first).isNotEqualTo(second).hasSizeLessThanOrEqualTo(120);
    assertThat(RowKey.ofRow(first, longKey)).hasSizeLessThanOrEqualTo(RowKey.MAX_LENGTH);
    assertThat(RowKey.documentOf(RowKey.ofRow(first, longKey))).isEqualTo(first);
    assertThat(RowKey.ofDocument(new BsonValue[] {new BsonString("a,b"), new BsonString("c")}))
        .isNotEqualTo(
            RowKey.ofDocument(new BsonValue[] {new BsonString("a"), new BsonString("b,c")}));
  }
}
