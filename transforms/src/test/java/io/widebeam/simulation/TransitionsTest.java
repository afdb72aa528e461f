package io.widebeam.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import io.widebeam.change.TableId;
import io.widebeam.simulation.Event.Checkpoint;
import io.widebeam.simulation.Event.Crash;
import io.widebeam.simulation.Event.Delete;
import io.widebeam.simulation.Event.Operation;
import io.widebeam.simulation.Event.Put;
import io.widebeam.simulation.Event.Quiet;
import io.widebeam.simulation.Event.Rekey;
import io.widebeam.simulation.Event.Start;
import io.widebeam.simulation.Event.Transaction;
import io.widebeam.simulation.Table.Column;
import io.widebeam.view.Collation;
import io.widebeam.view.ViewNode;
import io.widebeam.view.ViewNode.Embedding;
import io.widebeam.view.ViewNode.JoinColumn;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bson.BsonDocument;
import org.junit.jupiter.api.Test;

/**
 * Each transition that a row can go through, at each level of a view: what the document is
 * afterwards, in several orders of things, and with a crash in between.
 *
 * <pre>
 * orders ──┬── customer (object, by orders.buyer)
 *          └── items (array, of the order) ──┬── product (object, by items.sku) ── maker_row (object)
 *                                            └── notes (array, of the item)
 * </pre>
 */
class TransitionsTest {
  private static final Table ORDERS = table("orders", "id", "id", "buyer", "state");
  private static final Table CUSTOMERS = table("customers", "id", "id", "city");
  private static final Table ITEMS = table("items", "line", "line", "order", "sku");
  private static final Table PRODUCTS = table("products", "id", "id", "name", "maker");
  private static final Table MAKERS = table("makers", "id", "id", "land");
  private static final Table NOTES = table("notes", "id", "id", "line", "text");

  private static final ViewNode VIEW =
      ViewNode.root(
          ORDERS.id(),
          ORDERS.primaryKey(),
          List.of(
              lookup(CUSTOMERS, Embedding.OBJECT, "customer", "buyer", "id"),
              lookup(
                  ITEMS,
                  Embedding.ARRAY,
                  "items",
                  "id",
                  "order",
                  lookup(
                      PRODUCTS,
                      Embedding.OBJECT,
                      "product",
                      "sku",
                      "id",
                      lookup(MAKERS, Embedding.OBJECT, "maker_row", "maker", "id")),
                  lookup(NOTES, Embedding.ARRAY, "notes", "line", "line"))));

  private static final Map<ViewNode, ViewGraph> GRAPHS = new HashMap<>();

  private static final String ORDER = "{id: 1, buyer: 1, state: 0}";
  private static final String CUSTOMER = "{id: 1, city: 7}";
  private static final String ITEM = "{line: 1, order: 1, sku: 1}";
  private static final String PRODUCT = "{id: 1, name: 5, maker: 1}";
  private static final String MAKER = "{id: 1, land: 3}";
  private static final String NOTE = "{id: 1, line: 1, text: 9}";

  private static final String CUSTOMER_FIELD = ", customer: {id: 1, city: 7}";
  private static final String WHOLE_ITEM =
      "{line: 1, order: 1, sku: 1, product: {id: 1, name: 5, maker: 1, maker_row: {id: 1, land: 3}},"
          + " notes: [NOTE]}";
  private static final String WHOLE = whole(WHOLE_ITEM);

  private final List<Event> events = new ArrayList<>();
  private final List<Operation> given = new ArrayList<>();

  // ---- The root.

  @Test
  void aRootRowIsInsertedUpdatedAndDeleted() {
    when(put(ORDERS, ORDER));
    thenDocuments("{id: 1, buyer: 1, state: 0, items: []}");
    when(put(ORDERS, "{id: 1, buyer: 1, state: 2}"));
    thenDocuments("{id: 1, buyer: 1, state: 2, items: []}");
    when(delete(ORDERS, "{id: 1}"));
    thenDocuments();
  }

  @Test
  void aRootRowIsDeletedAndInsertedAgainWithItsChildrenInPlace() {
    given(ORDERS, ORDER).given(CUSTOMERS, CUSTOMER).given(ITEMS, ITEM);
    when(delete(ORDERS, "{id: 1}"));
    thenDocuments();
    when(put(ORDERS, ORDER));
    thenDocuments(
        "{id: 1, buyer: 1, state: 0, customer: {id: 1, city: 7}, items: [{line: 1, order: 1, sku:"
            + " 1, notes: []}]}");
  }

  @Test
  void aRootRowIsDeletedAndInsertedAgainInOneTransaction() {
    given(ORDERS, ORDER).given(CUSTOMERS, CUSTOMER);
    when(delete(ORDERS, "{id: 1}"), put(ORDERS, "{id: 1, buyer: 1, state: 4}"));
    thenDocuments("{id: 1, buyer: 1, state: 4, customer: {id: 1, city: 7}, items: []}");
  }

  @Test
  void aRootsPrimaryKeyChangesAndItsChildrenStayWithTheOldOne() {
    given(ORDERS, ORDER).given(CUSTOMERS, CUSTOMER).given(ITEMS, ITEM);
    when(new Rekey(ORDERS.id(), json("{id: 1}"), json("{id: 2, buyer: 1, state: 0}")));
    thenDocuments("{id: 2, buyer: 1, state: 0, customer: {id: 1, city: 7}, items: []}");
  }

  @Test
  void anUpdateThatChangesNothingWritesNothing() {
    given(ORDERS, ORDER).given(CUSTOMERS, CUSTOMER);
    events.add(new Quiet());
    long writes = run(1).writes();
    when(put(ORDERS, ORDER));
    when(put(CUSTOMERS, CUSTOMER));
    assertThat(run(1).writes()).isEqualTo(writes);
    thenDocuments("{id: 1, buyer: 1, state: 0, customer: {id: 1, city: 7}, items: []}");
  }

  @Test
  void aTransactionTouchesManyRowsOfOneDocument() {
    given(ORDERS, ORDER).given(ITEMS, ITEM).given(ITEMS, "{line: 2, order: 1, sku: null}");
    when(
        put(ORDERS, "{id: 1, buyer: null, state: 3}"),
        delete(ITEMS, "{line: 1}"),
        put(ITEMS, "{line: 2, order: 1, sku: 1}"),
        put(ITEMS, "{line: 3, order: 1, sku: null}"),
        put(PRODUCTS, PRODUCT));
    thenDocuments(
        "{id: 1, buyer: null, state: 3, items: [{line: 2, order: 1, sku: 1, product: {id: 1, name:"
            + " 5, maker: 1}, notes: []}, {line: 3, order: 1, sku: null, notes: []}]}");
  }

  @Test
  void allRowsOfATableAreDeleted() {
    given(ORDERS, ORDER).given(ITEMS, ITEM).given(ITEMS, "{line: 2, order: 1, sku: 1}");
    when(delete(ITEMS, "{line: 1}"), delete(ITEMS, "{line: 2}"));
    thenDocuments("{id: 1, buyer: 1, state: 0, items: []}");
  }

  // ---- An object that a row points at.

  @Test
  void anObjectComesBeforeAndAfterItsParent() {
    when(put(CUSTOMERS, CUSTOMER));
    when(put(ORDERS, ORDER));
    when(put(ORDERS, "{id: 2, buyer: 2, state: 0}"));
    when(put(CUSTOMERS, "{id: 2, city: 8}"));
    thenDocuments(
        "{id: 1, buyer: 1, state: 0, customer: {id: 1, city: 7}, items: []}",
        "{id: 2, buyer: 2, state: 0, customer: {id: 2, city: 8}, items: []}");
  }

  @Test
  void aForeignKeyChangesFromOneRowToAnother() {
    given(ORDERS, ORDER).given(CUSTOMERS, CUSTOMER).given(CUSTOMERS, "{id: 2, city: 8}");
    when(put(ORDERS, "{id: 1, buyer: 2, state: 0}"));
    thenDocuments("{id: 1, buyer: 2, state: 0, customer: {id: 2, city: 8}, items: []}");
  }

  @Test
  void aForeignKeyChangesToARowThatIsNotThere() {
    given(ORDERS, ORDER).given(CUSTOMERS, CUSTOMER);
    when(put(ORDERS, "{id: 1, buyer: 2, state: 0}"));
    thenDocuments("{id: 1, buyer: 2, state: 0, items: []}");
  }

  @Test
  void aForeignKeyBecomesNull() {
    given(ORDERS, ORDER).given(CUSTOMERS, CUSTOMER);
    when(put(ORDERS, "{id: 1, buyer: null, state: 0}"));
    when(put(CUSTOMERS, "{id: 1, city: 8}"));
    thenDocuments("{id: 1, buyer: null, state: 0, items: []}");
  }

  @Test
  void aForeignKeyThatWasNullGetsAValue() {
    given(ORDERS, "{id: 1, buyer: null, state: 0}").given(CUSTOMERS, CUSTOMER);
    when(put(ORDERS, ORDER));
    thenDocuments("{id: 1, buyer: 1, state: 0, customer: {id: 1, city: 7}, items: []}");
  }

  @Test
  void aForeignKeyChangesAndChangesBack() {
    given(ORDERS, ORDER).given(CUSTOMERS, CUSTOMER).given(CUSTOMERS, "{id: 2, city: 8}");
    when(put(ORDERS, "{id: 1, buyer: 2, state: 0}"));
    when(put(ORDERS, ORDER));
    thenDocuments("{id: 1, buyer: 1, state: 0, customer: {id: 1, city: 7}, items: []}");
  }

  @Test
  void anObjectIsUpdatedDeletedAndInsertedAgain() {
    given(ORDERS, ORDER).given(CUSTOMERS, CUSTOMER);
    when(put(CUSTOMERS, "{id: 1, city: 8}"));
    thenDocuments("{id: 1, buyer: 1, state: 0, customer: {id: 1, city: 8}, items: []}");
    when(delete(CUSTOMERS, "{id: 1}"));
    thenDocuments("{id: 1, buyer: 1, state: 0, items: []}");
    when(put(CUSTOMERS, CUSTOMER));
    thenDocuments("{id: 1, buyer: 1, state: 0, customer: {id: 1, city: 7}, items: []}");
  }

  @Test
  void anObjectsPrimaryKeyChanges() {
    given(ORDERS, ORDER).given(CUSTOMERS, CUSTOMER).given(ORDERS, "{id: 2, buyer: 2, state: 0}");
    when(new Rekey(CUSTOMERS.id(), json("{id: 1}"), json("{id: 2, city: 7}")));
    thenDocuments(
        "{id: 1, buyer: 1, state: 0, items: []}",
        "{id: 2, buyer: 2, state: 0, customer: {id: 2, city: 7}, items: []}");
  }

  // ---- The rows of an array.

  @Test
  void aChildComesBeforeAndAfterItsParent() {
    when(put(ITEMS, ITEM));
    thenDocuments();
    when(put(ORDERS, ORDER));
    when(put(ITEMS, "{line: 2, order: 1, sku: null}"));
    thenDocuments(
        "{id: 1, buyer: 1, state: 0, items: [{line: 1, order: 1, sku: 1, notes: []}, {line: 2,"
            + " order: 1, sku: null, notes: []}]}");
  }

  @Test
  void aChildMovesFromOneParentToAnother() {
    given(ORDERS, ORDER).given(ORDERS, "{id: 2, buyer: null, state: 0}").given(ITEMS, ITEM);
    when(put(ITEMS, "{line: 1, order: 2, sku: 1}"));
    thenDocuments(
        "{id: 1, buyer: 1, state: 0, items: []}",
        "{id: 2, buyer: null, state: 0, items: [{line: 1, order: 2, sku: 1, notes: []}]}");
  }

  @Test
  void aChildMovesThereAndBack() {
    given(ORDERS, ORDER).given(ORDERS, "{id: 2, buyer: null, state: 0}").given(ITEMS, ITEM);
    when(put(ITEMS, "{line: 1, order: 2, sku: 1}"));
    when(put(ITEMS, ITEM));
    thenDocuments(
        "{id: 1, buyer: 1, state: 0, items: [{line: 1, order: 1, sku: 1, notes: []}]}",
        "{id: 2, buyer: null, state: 0, items: []}");
  }

  @Test
  void aChildLosesItsParentAndFindsOne() {
    given(ORDERS, ORDER).given(ITEMS, ITEM).given(ITEMS, "{line: 2, order: null, sku: null}");
    when(put(ITEMS, "{line: 1, order: null, sku: 1}"));
    when(put(ITEMS, "{line: 2, order: 1, sku: null}"));
    thenDocuments(
        "{id: 1, buyer: 1, state: 0, items: [{line: 2, order: 1, sku: null, notes: []}]}");
  }

  @Test
  void aChildIsDeletedAndInsertedAgain() {
    given(ORDERS, ORDER).given(ITEMS, ITEM);
    when(delete(ITEMS, "{line: 1}"));
    thenDocuments("{id: 1, buyer: 1, state: 0, items: []}");
    when(put(ITEMS, "{line: 1, order: 1, sku: null}"));
    thenDocuments(
        "{id: 1, buyer: 1, state: 0, items: [{line: 1, order: 1, sku: null, notes: []}]}");
  }

  @Test
  void aChildsPrimaryKeyChanges() {
    given(ORDERS, ORDER).given(ITEMS, ITEM).given(NOTES, NOTE);
    when(new Rekey(ITEMS.id(), json("{line: 1}"), json("{line: 4, order: 1, sku: 1}")));
    thenDocuments("{id: 1, buyer: 1, state: 0, items: [{line: 4, order: 1, sku: 1, notes: []}]}");
  }

  // ---- Further down.

  @Test
  void aRowThreeLevelsDownComesChangesAndGoes() {
    given(ORDERS, ORDER).given(ITEMS, ITEM).given(PRODUCTS, PRODUCT);
    when(put(MAKERS, MAKER));
    thenDocuments(
        "{id: 1, buyer: 1, state: 0, items: [{line: 1, order: 1, sku: 1, product: {id: 1, name: 5,"
            + " maker: 1, maker_row: {id: 1, land: 3}}, notes: []}]}");
    when(put(MAKERS, "{id: 1, land: 4}"));
    when(delete(MAKERS, "{id: 1}"));
    thenDocuments(
        "{id: 1, buyer: 1, state: 0, items: [{line: 1, order: 1, sku: 1, product: {id: 1, name: 5,"
            + " maker: 1}, notes: []}]}");
  }

  @Test
  void aForeignKeyThreeLevelsDownChangesToNullAndBack() {
    given(ORDERS, ORDER).given(ITEMS, ITEM).given(PRODUCTS, PRODUCT).given(MAKERS, MAKER);
    when(put(PRODUCTS, "{id: 1, name: 5, maker: null}"));
    thenDocuments(
        "{id: 1, buyer: 1, state: 0, items: [{line: 1, order: 1, sku: 1, product: {id: 1, name: 5,"
            + " maker: null}, notes: []}]}");
    when(put(PRODUCTS, PRODUCT));
    thenDocuments(
        "{id: 1, buyer: 1, state: 0, items: [{line: 1, order: 1, sku: 1, product: {id: 1, name: 5,"
            + " maker: 1, maker_row: {id: 1, land: 3}}, notes: []}]}");
  }

  @Test
  void anObjectBetweenIsDeletedAndComesBackWithWhatIsBelow() {
    given(ORDERS, ORDER).given(ITEMS, ITEM).given(PRODUCTS, PRODUCT).given(MAKERS, MAKER);
    when(delete(PRODUCTS, "{id: 1}"));
    thenDocuments("{id: 1, buyer: 1, state: 0, items: [{line: 1, order: 1, sku: 1, notes: []}]}");
    when(put(PRODUCTS, PRODUCT));
    thenDocuments(
        "{id: 1, buyer: 1, state: 0, items: [{line: 1, order: 1, sku: 1, product: {id: 1, name: 5,"
            + " maker: 1, maker_row: {id: 1, land: 3}}, notes: []}]}");
  }

  @Test
  void aRowOfAnArrayInAnArrayMovesWithItsParentAndOnItsOwn() {
    given(ORDERS, ORDER).given(ORDERS, "{id: 2, buyer: null, state: 0}").given(ITEMS, ITEM);
    given(ITEMS, "{line: 2, order: 1, sku: null}").given(NOTES, NOTE);
    when(put(ITEMS, "{line: 1, order: 2, sku: 1}"));
    thenDocuments(
        "{id: 1, buyer: 1, state: 0, items: [{line: 2, order: 1, sku: null, notes: []}]}",
        "{id: 2, buyer: null, state: 0, items: [{line: 1, order: 2, sku: 1, notes: ["
            + NOTE
            + "]}]}");
    when(put(NOTES, "{id: 1, line: 2, text: 9}"));
    thenDocuments(
        "{id: 1, buyer: 1, state: 0, items: [{line: 2, order: 1, sku: null, notes: [{id: 1, line:"
            + " 2, text: 9}]}]}",
        "{id: 2, buyer: null, state: 0, items: [{line: 1, order: 2, sku: 1, notes: []}]}");
  }

  @Test
  void aParentBetweenIsDeletedWithItsChildrenInPlaceAndComesBack() {
    given(ORDERS, ORDER).given(ITEMS, ITEM).given(NOTES, NOTE);
    when(delete(ITEMS, "{line: 1}"));
    thenDocuments("{id: 1, buyer: 1, state: 0, items: []}");
    when(put(ITEMS, ITEM));
    thenDocuments(
        "{id: 1, buyer: 1, state: 0, items: [{line: 1, order: 1, sku: 1, notes: [" + NOTE + "]}]}");
  }

  @Test
  void rowsOfEveryLevelComeBeforeTheirParents() {
    when(put(MAKERS, MAKER));
    when(put(NOTES, NOTE));
    when(put(PRODUCTS, PRODUCT));
    when(put(ITEMS, ITEM));
    when(put(CUSTOMERS, CUSTOMER));
    thenDocuments();
    when(put(ORDERS, ORDER));
    thenDocuments(WHOLE);
  }

  @Test
  void aForeignKeyTwoLevelsDownChangesFromOneRowToAnotherAndBack() {
    givenAll().given(PRODUCTS, "{id: 2, name: 6, maker: null}");
    when(put(ITEMS, "{line: 1, order: 1, sku: 2}"));
    thenDocuments(
        whole(
            "{line: 1, order: 1, sku: 2, product: {id: 2, name: 6, maker: null}, notes: [NOTE]}"));
    when(put(ITEMS, ITEM));
    thenDocuments(WHOLE);
  }

  @Test
  void aForeignKeyTwoLevelsDownBecomesNullAndGetsAValueAgain() {
    givenAll();
    when(put(ITEMS, "{line: 1, order: 1, sku: null}"));
    thenDocuments(whole("{line: 1, order: 1, sku: null, notes: [NOTE]}"));
    when(put(ITEMS, ITEM));
    thenDocuments(WHOLE);
  }

  @Test
  void aForeignKeyThreeLevelsDownChangesFromOneRowToAnotherAndBack() {
    givenAll().given(MAKERS, "{id: 2, land: 4}");
    when(put(PRODUCTS, "{id: 1, name: 5, maker: 2}"));
    thenDocuments(
        whole(
            "{line: 1, order: 1, sku: 1, product: {id: 1, name: 5, maker: 2, maker_row: {id: 2, land:"
                + " 4}}, notes: [NOTE]}"));
    when(put(PRODUCTS, PRODUCT));
    thenDocuments(WHOLE);
  }

  @Test
  void thePrimaryKeyOfAnObjectTwoLevelsDownChangesAndChangesBack() {
    givenAll();
    when(new Rekey(PRODUCTS.id(), json("{id: 1}"), json("{id: 2, name: 5, maker: 1}")));
    thenDocuments(whole("{line: 1, order: 1, sku: 1, notes: [NOTE]}"));
    when(new Rekey(PRODUCTS.id(), json("{id: 2}"), json(PRODUCT)));
    thenDocuments(WHOLE);
  }

  @Test
  void thePrimaryKeyOfAnObjectThreeLevelsDownChangesAndChangesBack() {
    givenAll();
    when(new Rekey(MAKERS.id(), json("{id: 1}"), json("{id: 2, land: 3}")));
    thenDocuments(
        whole("{line: 1, order: 1, sku: 1, product: {id: 1, name: 5, maker: 1}, notes: [NOTE]}"));
    when(new Rekey(MAKERS.id(), json("{id: 2}"), json(MAKER)));
    thenDocuments(WHOLE);
  }

  @Test
  void thePrimaryKeyOfARowOfAnArrayInAnArrayChanges() {
    givenAll();
    when(new Rekey(NOTES.id(), json("{id: 1}"), json("{id: 2, line: 1, text: 9}")));
    thenDocuments(whole(WHOLE_ITEM.replace("NOTE", "{id: 2, line: 1, text: 9}")));
  }

  @Test
  void aRowOfAnArrayInAnArrayLosesItsParentAndFindsOne() {
    givenAll();
    when(put(NOTES, "{id: 1, line: null, text: 9}"));
    thenDocuments(whole(WHOLE_ITEM.replace("NOTE", "")));
    when(put(NOTES, NOTE));
    thenDocuments(WHOLE);
  }

  @Test
  void rowsOfEveryLevelAreDeletedAndInsertedAgain() {
    givenAll();
    when(delete(MAKERS, "{id: 1}"));
    when(delete(NOTES, "{id: 1}"));
    when(delete(PRODUCTS, "{id: 1}"));
    when(delete(CUSTOMERS, "{id: 1}"));
    when(delete(ITEMS, "{line: 1}"));
    thenDocuments("{id: 1, buyer: 1, state: 0, items: []}");
    when(put(ITEMS, ITEM));
    when(put(CUSTOMERS, CUSTOMER));
    when(put(PRODUCTS, PRODUCT));
    when(put(NOTES, NOTE));
    when(put(MAKERS, MAKER));
    thenDocuments(WHOLE);
  }

  @Test
  void rowsOfEveryLevelAreDeletedAndInsertedAgainInOneTransaction() {
    givenAll();
    when(
        delete(ORDERS, "{id: 1}"),
        delete(CUSTOMERS, "{id: 1}"),
        delete(ITEMS, "{line: 1}"),
        delete(PRODUCTS, "{id: 1}"),
        delete(MAKERS, "{id: 1}"),
        delete(NOTES, "{id: 1}"),
        put(NOTES, NOTE),
        put(MAKERS, MAKER),
        put(PRODUCTS, PRODUCT),
        put(ITEMS, ITEM),
        put(CUSTOMERS, CUSTOMER),
        put(ORDERS, ORDER));
    thenDocuments(WHOLE);
  }

  @Test
  void updatesThatChangeNothingWriteNothingAtAnyLevel() {
    givenAll();
    events.add(new Quiet());
    long writes = run(1).writes();
    when(put(ITEMS, ITEM));
    when(put(PRODUCTS, PRODUCT), put(MAKERS, MAKER));
    when(put(NOTES, NOTE));
    assertThat(run(1).writes()).isEqualTo(writes);
    thenDocuments(WHOLE);
  }

  @Test
  void allRowsOfEveryTableBelowTheRootAreDeleted() {
    givenAll();
    when(delete(NOTES, "{id: 1}"), delete(MAKERS, "{id: 1}"));
    when(delete(PRODUCTS, "{id: 1}"), delete(CUSTOMERS, "{id: 1}"));
    thenDocuments(whole("{line: 1, order: 1, sku: 1, notes: []}").replace(CUSTOMER_FIELD, ""));
  }

  // ---- Texts that the database takes for equal.

  private static final Collation UPPER_AND_LOWER =
      Collation.of("ci", true, Map.of("a", "A", "b", "B"), null);

  private static final ViewNode BY_TEXT =
      ViewNode.root(
          ORDERS.id(),
          ORDERS.primaryKey(),
          List.of(
              byText(CUSTOMERS, Embedding.OBJECT, "customer", "buyer", "id"),
              byText(
                  ITEMS,
                  Embedding.ARRAY,
                  "items",
                  "id",
                  "order",
                  byText(NOTES, Embedding.ARRAY, "notes", "line", "line"))));

  private static ViewNode byText(
      Table table,
      Embedding embedding,
      String path,
      String parent,
      String child,
      ViewNode... below) {
    return new ViewNode(
        table.id(),
        table.primaryKey(),
        List.of(path),
        embedding,
        List.of(new JoinColumn(parent, child, UPPER_AND_LOWER, true)),
        List.of(),
        List.of(below));
  }

  private void givenTexts() {
    given(ORDERS, "{id: 'a', buyer: 'B '}").given(CUSTOMERS, "{id: 'b', city: 7}");
    given(ITEMS, "{line: 'b', order: 'A '}").given(NOTES, "{id: 1, line: 'B', text: 9}");
  }

  private static final String BELOW =
      ", buyer: 'B ', customer: {id: 'b', city: 7}, items: [{line: 'b', order: 'A ', notes: [{id:"
          + " 1, line: 'B', text: 9}]}]}";

  @Test
  void rowsMeetWhoseTextsTheDatabaseTakesForEqual() {
    givenTexts();
    thenDocumentsOf(BY_TEXT, "{id: 'a'" + BELOW);
  }

  @Test
  void aRootIsRenamedToATextThatIsEqualToItsOld() {
    givenTexts();
    when(new Rekey(ORDERS.id(), json("{id: 'a'}"), json("{id: 'A', buyer: 'B '}")));
    thenDocumentsOf(BY_TEXT, "{id: 'A'" + BELOW);
    when(new Rekey(ORDERS.id(), json("{id: 'A'}"), json("{id: 'a', buyer: 'B '}")));
    thenDocumentsOf(BY_TEXT, "{id: 'a'" + BELOW);
  }

  @Test
  void aRootThatTheCheckpointDoesNotKnowIsRenamedToATextThatIsEqualToItsOld() {
    when(put(ORDERS, "{id: 'a', buyer: null}"));
    events.add(new Quiet());
    when(new Rekey(ORDERS.id(), json("{id: 'a'}"), json("{id: 'A', buyer: null}")));
    thenDocumentsOf(BY_TEXT, "{id: 'A', buyer: null, items: []}");
    when(delete(ORDERS, "{id: 'A'}"));
    thenDocumentsOf(BY_TEXT);
  }

  @Test
  void aChildAndAnObjectAreRenamedToTextsThatAreEqualToTheirOld() {
    givenTexts();
    when(new Rekey(ITEMS.id(), json("{line: 'b'}"), json("{line: 'B', order: 'a'}")));
    when(new Rekey(CUSTOMERS.id(), json("{id: 'b'}"), json("{id: 'B', city: 7}")));
    thenDocumentsOf(
        BY_TEXT,
        "{id: 'a', buyer: 'B ', customer: {id: 'B', city: 7}, items: [{line: 'B', order: 'a', notes:"
            + " [{id: 1, line: 'B', text: 9}]}]}");
  }

  @Test
  void aForeignKeyChangesToATextThatIsEqualToItsOldAndToOneThatIsNot() {
    givenTexts();
    when(put(ORDERS, "{id: 'a', buyer: 'b'}"), put(NOTES, "{id: 1, line: 'a', text: 9}"));
    thenDocumentsOf(
        BY_TEXT,
        "{id: 'a', buyer: 'b', customer: {id: 'b', city: 7}, items: [{line: 'b', order: 'A ', notes:"
            + " []}]}");
  }

  // ---- Several matches, and merged rows.

  @Test
  void anObjectWithSeveralMatchesFallsBackToTheNextWhenTheFirstIsDeleted() {
    ViewNode byCity =
        ViewNode.root(
            CUSTOMERS.id(),
            CUSTOMERS.primaryKey(),
            List.of(lookup(ORDERS, Embedding.OBJECT, "first", "id", "buyer")));
    given(CUSTOMERS, CUSTOMER).given(ORDERS, ORDER).given(ORDERS, "{id: 2, buyer: 1, state: 5}");
    when(delete(ORDERS, "{id: 1}"));
    thenDocumentsOf(byCity, "{id: 1, city: 7, first: {id: 2, buyer: 1, state: 5}}");
  }

  @Test
  void anArrayOfTheNewestShowsTheNextOlderOneWhenOneOfThemIsDeleted() {
    ViewNode newest =
        ViewNode.root(
            CUSTOMERS.id(),
            CUSTOMERS.primaryKey(),
            List.of(lookup(ORDERS, Embedding.ARRAY, "latest", "id", "buyer").withNewest(2)));
    given(CUSTOMERS, CUSTOMER).given(ORDERS, ORDER).given(ORDERS, "{id: 2, buyer: 1, state: 5}");
    when(put(ORDERS, "{id: 3, buyer: 1, state: 6}"));
    thenDocumentsOf(
        newest,
        "{id: 1, city: 7, latest: [{id: 2, buyer: 1, state: 5}, {id: 3, buyer: 1, state: 6}]}");
    when(delete(ORDERS, "{id: 2}"));
    thenDocumentsOf(
        newest,
        "{id: 1, city: 7, latest: [{id: 1, buyer: 1, state: 0}, {id: 3, buyer: 1, state: 6}]}");
  }

  @Test
  void anArrayOfTheNewestThatIsLookedUpShowsAsManyToEveryParent() {
    ViewNode newest =
        ViewNode.root(
            CUSTOMERS.id(),
            CUSTOMERS.primaryKey(),
            List.of(lookup(ORDERS, Embedding.ARRAY, "latest", "city", "state").withNewest(1)));
    given(CUSTOMERS, CUSTOMER).given(CUSTOMERS, "{id: 2, city: 7}");
    given(ORDERS, "{id: 1, buyer: 1, state: 7}").given(ORDERS, "{id: 2, buyer: 2, state: 7}");
    when(put(ORDERS, "{id: 2, buyer: 2, state: 8}"));
    thenDocumentsOf(
        newest,
        "{id: 1, city: 7, latest: [{id: 1, buyer: 1, state: 7}]}",
        "{id: 2, city: 7, latest: [{id: 1, buyer: 1, state: 7}]}");
    when(put(ORDERS, "{id: 3, buyer: 1, state: 7}"));
    thenDocumentsOf(
        newest,
        "{id: 1, city: 7, latest: [{id: 3, buyer: 1, state: 7}]}",
        "{id: 2, city: 7, latest: [{id: 3, buyer: 1, state: 7}]}");
  }

  @Test
  void aColumnOfAMergedRowIsTheParentsOwnAndStaysWhenTheRowIsDeleted() {
    ViewNode merged =
        ViewNode.root(
            ORDERS.id(),
            ORDERS.primaryKey(),
            List.of(
                new ViewNode(
                    CUSTOMERS.id(),
                    CUSTOMERS.primaryKey(),
                    List.of(),
                    Embedding.MERGED,
                    List.of(new JoinColumn("buyer", "id")),
                    List.of(),
                    List.of())));
    given(ORDERS, "{id: 1, buyer: 2, state: 0}").given(CUSTOMERS, "{id: 2, city: 8}");
    thenDocumentsOf(merged, "{id: 1, buyer: 2, state: 0, city: 8}");
    when(delete(CUSTOMERS, "{id: 2}"));
    thenDocumentsOf(merged, "{id: 1, buyer: 2, state: 0}");
  }

  // ---- How the tests say it.

  private TransitionsTest givenAll() {
    return given(ORDERS, ORDER)
        .given(CUSTOMERS, CUSTOMER)
        .given(ITEMS, ITEM)
        .given(PRODUCTS, PRODUCT)
        .given(MAKERS, MAKER)
        .given(NOTES, NOTE);
  }

  /** The document of everything that was given, but for its item. */
  private static String whole(String item) {
    return "{id: 1, buyer: 1, state: 0"
        + CUSTOMER_FIELD
        + ", items: ["
        + item.replace("NOTE", NOTE)
        + "]}";
  }

  private TransitionsTest given(Table table, String row) {
    given.add(put(table, row));
    return this;
  }

  private void when(Operation... operations) {
    events.add(new Transaction(List.of(operations)));
  }

  private static Operation put(Table table, String row) {
    return new Put(table.id(), json(row));
  }

  private static Operation delete(Table table, String key) {
    return new Delete(table.id(), json(key));
  }

  private void thenDocuments(String... documents) {
    thenDocumentsOf(VIEW, documents);
  }

  /** In several orders of things; and if it all comes again after a crash. */
  private void thenDocumentsOf(ViewNode view, String... documents) {
    List<BsonDocument> expected = Arrays.stream(documents).map(TransitionsTest::json).toList();
    for (long seed = 1; seed <= 4; seed++) {
      assertThat(run(view, seed, List.of()).documents().values())
          .containsExactlyInAnyOrderElementsOf(expected);
      assertThat(run(view, seed, List.of(new Quiet(), new Crash(true))).documents().values())
          .containsExactlyInAnyOrderElementsOf(expected);
    }
  }

  private Target run(long seed) {
    return run(VIEW, seed, List.of());
  }

  private Target run(ViewNode view, long seed, List<Event> then) {
    List<Event> all = new ArrayList<>();
    given.forEach(operation -> all.add(new Transaction(List.of(operation))));
    all.add(new Start());
    all.add(new Quiet());
    all.add(new Checkpoint());
    all.addAll(events);
    all.addAll(then);
    List<Table> tables = List.of(ORDERS, CUSTOMERS, ITEMS, PRODUCTS, MAKERS, NOTES);
    List<ViewNode> views = List.of(view);
    return Simulation.targetOf(
        GRAPHS.computeIfAbsent(view, root -> ViewGraph.of(views)),
        new Scenario(tables, views, List.of(), all, 0, false),
        seed);
  }

  private static BsonDocument json(String json) {
    return BsonDocument.parse(json);
  }

  private static Table table(String name, String key, String... columns) {
    return new Table(
        new TableId("shop", "db", name),
        Arrays.stream(columns).map(column -> Column.of(column, ColumnType.INT, 10)).toList(),
        List.of(key));
  }

  private static ViewNode lookup(
      Table table,
      Embedding embedding,
      String path,
      String parent,
      String child,
      ViewNode... below) {
    return new ViewNode(
        table.id(),
        table.primaryKey(),
        List.of(path),
        embedding,
        List.of(new JoinColumn(parent, child)),
        List.of(),
        List.of(below));
  }
}
