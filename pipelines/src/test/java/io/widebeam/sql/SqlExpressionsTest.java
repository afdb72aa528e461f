package io.widebeam.sql;

import io.widebeam.change.BsonBuffer;
import io.widebeam.change.BsonRow;
import java.util.List;
import org.bson.BsonDocument;
import org.bson.RawBsonDocument;
import org.bson.codecs.BsonDocumentCodec;
import org.junit.jupiter.api.Test;

class SqlExpressionsTest {
  private static final List<SqlColumn> COLUMNS =
      List.of(
          new SqlColumn("id", SqlType.INTEGER),
          new SqlColumn("Big", SqlType.decimal(20, 0)),
          new SqlColumn("price", SqlType.decimal(10, 2)),
          new SqlColumn("any_number", SqlType.ANY_DECIMAL),
          new SqlColumn("weight", SqlType.DOUBLE),
          new SqlColumn("name", SqlType.TEXT),
          new SqlColumn("paid", SqlType.BOOLEAN),
          new SqlColumn("day", SqlType.DATE),
          new SqlColumn("at", SqlType.DATETIME),
          new SqlColumn("raw", SqlType.BYTES),
          new SqlColumn("json", SqlType.OTHER),
          new SqlColumn("none", SqlType.INTEGER),
          new SqlColumn("nothing", SqlType.TEXT),
          new SqlColumn("unknown", SqlType.BOOLEAN),
          new SqlColumn("never", SqlType.DATETIME));

  private static final byte[] ROW =
      bytes(
          """
          {id: 7, Big: {"$numberDecimal": "18446744073709551615"}, price: {"$numberDecimal": "19.90"},
           any_number: {"$numberDecimal": "1.5"}, weight: 2.5, name: "Zoë", paid: true,
           day: {"$date": "1969-12-31T00:00:00Z"}, at: {"$date": "2024-02-29T13:05:09.250Z"},
           raw: {"$binary": {"base64": "AQI=", "subType": "00"}}, json: {a: [1]},
           none: null, nothing: null, unknown: null, never: null}
          """);

  private static byte[] bytes(String json) {
    return BsonRow.bytes(new RawBsonDocument(BsonDocument.parse(json), new BsonDocumentCodec()));
  }

  private static SqlExpressions expressions() {
    return SqlExpressions.over(COLUMNS).ofTable("orders");
  }

  private static String value(String expression) {
    return value(expression, ROW);
  }

  /** The value as it stands in a document. */
  private static String value(String expression, byte[] row) {
    BsonBuffer out = new BsonBuffer();
    int start = out.startDocument();
    expressions().compile(expression).write(row, BsonBuffer.fieldName("v"), out);
    out.end(start);
    String json = out.toDocument().toJson();
    return json.substring("{\"v\": ".length(), json.length() - 1);
  }

  @Test
  void probe() throws Exception {
    for (String line : java.nio.file.Files.readAllLines(java.nio.file.Path.of("/tmp/probe.txt"))) {
      if (line.isBlank()) continue;
      String result;
      try {
        result = value(line);
      } catch (SqlException e) {
        result = "MISTAKE " + e.mistakes();
      } catch (RuntimeException e) {
        result = "ROW " + e.getMessage();
      }
      System.out.println(line + "   ==>   " + result);
    }
  }
}
