package io.widebeam.runner.shop;

import static com.mongodb.client.model.Filters.eq;
import static com.mongodb.client.model.Updates.set;
import static com.mongodb.client.model.Updates.unset;
import static org.assertj.core.api.Assertions.assertThat;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoCollection;
import io.widebeam.runner.embedded.EmbeddedMariaDb;
import io.widebeam.runner.embedded.EmbeddedMongo;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.bson.Document;
import org.bson.conversions.Bson;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A comparison is only worth something if it fails when it should. */
class ShopVerifierIT {
  /** What SQL joins from the rows below, written by hand. */
  private static final List<String> DOCUMENTS =
      List.of(
          """
          {"_id": "o1", "_version": 7, "order_id": "o1", "customer_id": "c1", "order_status": "new",
           "order_purchase_timestamp": {"$date": "2018-03-19T18:40:33Z"}, "order_approved_at": null,
           "order_delivered_carrier_date": null, "order_delivered_customer_date": null,
           "order_estimated_delivery_date": {"$date": "2018-03-29T00:00:00Z"},
           "customer_info": {"customer_id": "c1", "customer_unique_id": "u1",
             "customer_zip_code_prefix": "01000", "customer_city": "são paulo",
             "customer_state": "SP"},
           "order_payments": [
             {"order_id": "o1", "payment_sequential": 1, "payment_type": "voucher",
              "payment_installments": 1, "payment_value": {"$numberDecimal": "10.00"}},
             {"order_id": "o1", "payment_sequential": 2, "payment_type": "boleto",
              "payment_installments": 1, "payment_value": {"$numberDecimal": "5.50"}}],
           "order_items": [
             {"order_id": "o1", "order_item_id": 1, "product_id": "p1", "seller_id": "s1",
              "shipping_limit_date": {"$date": "2018-03-26T18:31:29Z"},
              "price": {"$numberDecimal": "15.50"}, "freight_value": {"$numberDecimal": "1.05"},
              "product": {"product_id": "p1", "product_category_name": "bebes",
                "product_name_lenght": 59, "product_name_length": null,
                "product_description_lenght": 493, "product_description_length": null,
                "product_photos_qty": 1, "product_weight_g": 2000, "product_length_cm": 30,
                "product_height_cm": 12, "product_width_cm": 16},
              "seller": {"seller_id": "s1", "seller_zip_code_prefix": "03702",
                "seller_city": "osasco", "seller_state": "SP"}},
             {"order_id": "o1", "order_item_id": 2, "product_id": "none", "seller_id": null,
              "shipping_limit_date": null, "price": {"$numberDecimal": "1.00"},
              "freight_value": {"$numberDecimal": "0.00"}}]}
          """,
          """
          {"_id": "o2", "_version": 8, "order_id": "o2", "customer_id": "gone",
           "order_status": "new", "order_purchase_timestamp": null, "order_approved_at": null,
           "order_delivered_carrier_date": null, "order_delivered_customer_date": null,
           "order_estimated_delivery_date": null, "order_payments": [], "order_items": []}
          """);

  private static final List<String> ROWS =
      List.of(
          "ecom_orders VALUES ('o1', 'c1', 'new', '2018-03-19 18:40:33', NULL, NULL, NULL, '2018-03-29')",
          "ecom_orders VALUES ('o2', 'gone', 'new', NULL, NULL, NULL, NULL, NULL)",
          "ecom_customers VALUES ('c1', 'u1', '01000', 'são paulo', 'SP')",
          "ecom_order_payments VALUES ('o1', 2, 'boleto', 1, 5.5), ('o1', 1, 'voucher', 1, 10)",
          "ecom_order_payments VALUES ('no order', 1, 'voucher', 1, 10)",
          "ecom_order_items VALUES ('o1', 1, 'p1', 's1', '2018-03-26 18:31:29', 15.50, 1.05)",
          "ecom_order_items VALUES ('o1', 2, 'none', NULL, NULL, 1, 0)",
          "ecom_products VALUES ('p1', 'bebes', 59, NULL, 493, NULL, 1, 2000, 30, 12, 16)",
          "ecom_sellers VALUES ('s1', '03702', 'osasco', 'SP')");

  private static EmbeddedMariaDb sourceServer;
  private static EmbeddedMongo targetServer;
  private static Connection source;
  private static MongoClient client;
  private static MongoCollection<Document> target;

  @BeforeAll
  static void start() throws SQLException {
    sourceServer = EmbeddedMariaDb.start();
    targetServer = EmbeddedMongo.start();
    source = sourceServer.connect("");
    Shop.createTables(source);
    try (Statement statement = source.createStatement()) {
      for (String row : ROWS) {
        statement.execute("INSERT INTO " + row);
      }
    }
    client = MongoClients.create(targetServer.uri());
    target = client.getDatabase("ecommerce").getCollection("orderSingleView");
  }

  @AfterAll
  static void stop() throws SQLException {
    client.close();
    source.close();
    targetServer.close();
    sourceServer.close();
  }

  @BeforeEach
  void writeTheRightDocuments() {
    target.deleteMany(new Document());
    target.insertMany(DOCUMENTS.stream().map(Document::parse).toList());
  }

  @Test
  void theRightDocumentsAgree() throws SQLException {
    ShopVerifier.Report report = verify();
    assertThat(report.differences()).isEmpty();
    assertThat(report).isEqualTo(new ShopVerifier.Report(2, 0, 0, 0, List.of()));
    assertThat(report.agrees()).isTrue();
  }

  @Test
  void aMissingDocumentIsFound() throws SQLException {
    target.deleteOne(eq("_id", "o2"));
    assertThat(verify())
        .isEqualTo(new ShopVerifier.Report(2, 1, 0, 0, List.of("order o2: there is no document")));
  }

  @Test
  void anExtraDocumentIsFound() throws SQLException {
    target.insertOne(new Document("_id", "o3"));
    assertThat(verify())
        .isEqualTo(
            new ShopVerifier.Report(2, 0, 1, 0, List.of("document o3: there is no such order")));
  }

  @Test
  void aDifferenceNamesItsPlaceAndBothValues() throws SQLException {
    target.updateOne(eq("_id", "o1"), set("order_items.0.seller.seller_city", "Osasco"));
    assertThat(verify())
        .isEqualTo(
            new ShopVerifier.Report(
                2,
                0,
                0,
                1,
                List.of(
                    "order o1: order_items[0].seller.seller_city is String Osasco,"
                        + " not String osasco")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{$set: {'order_payments.0.payment_value': 10.0}}",
        "{$set: {'order_payments.0.payment_value': {$numberDecimal: '10.01'}}}",
        "{$set: {'order_payments.0.payment_installments': {$numberLong: '1'}}}",
        "{$set: {'order_approved_at': ''}}",
        "{$unset: {'order_approved_at': ''}}",
        "{$set: {'order_purchase_timestamp': {$date: '2018-03-19T19:40:33Z'}}}",
        "{$set: {'order_items.1.product': {}}}",
        "{$set: {'order_items.1.seller': null}}",
        "{$set: {'another': 1}}",
        "{$pop: {'order_items': 1}}",
        "{$push: {'order_payments': {}}}",
      })
  void aPlantedErrorIsFound(String json) throws SQLException {
    Document update = Document.parse(json);
    // The stand-in ignores a new value that equals the old one in number but not in type.
    update
        .get("$set", new Document())
        .keySet()
        .forEach(field -> target.updateOne(eq("_id", "o1"), set(field, "cleared")));
    target.updateOne(eq("_id", "o1"), update);
    assertThat(verify().wrong()).isEqualTo(1);
  }

  @Test
  void elementsInTheWrongOrderAreFound() throws SQLException {
    Document order = target.find(eq("_id", "o1")).first();
    List<Document> payments = order.getList("order_payments", Document.class);
    target.updateOne(
        eq("_id", "o1"), set("order_payments", List.of(payments.get(1), payments.get(0))));
    assertThat(verify().wrong()).isEqualTo(1);
  }

  @Test
  void theVersionAndTheOrderOfFieldsDoNotMatter() throws SQLException {
    for (Bson update :
        List.of(unset("order_status"), set("order_status", "new"), set("_version", 9))) {
      target.updateOne(eq("_id", "o2"), update);
    }
    assertThat(verify().agrees()).isTrue();
  }

  private static ShopVerifier.Report verify() throws SQLException {
    return ShopVerifier.verify(source, target, "_version");
  }
}
