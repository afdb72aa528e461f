package io.widebeam.sink.mongodb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.widebeam.document.DocumentChange;
import io.widebeam.document.DocumentChangeCoder;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.transforms.Create;
import org.apache.beam.sdk.transforms.display.DisplayData;
import org.apache.beam.sdk.values.PCollection;
import org.junit.jupiter.api.Test;

class MongoDocumentsTest {

  private static final MongoDocuments.Write COMPLETE =
      MongoDocuments.write()
          .withUri("mongodb://cdc:s3cret@db.example:27017,db2.example/?replicaSet=rs")
          .withDatabase("shop")
          .withCollection("orders");

  @Test
  void everythingThatIsMissingIsSaidAtOnce() {
    assertThatThrownBy(() -> changes().apply(MongoDocuments.write().withDatabase("shop")))
        .hasMessage("MongoDocuments.write() needs withUri, withCollection");
  }

  @Test
  void anInvalidUriIsNotRepeated() {
    assertThatThrownBy(() -> changes().apply(COMPLETE.withUri("mongodb://cdc:s3c/ret@db")))
        .hasMessageStartingWith("The MongoDB URI for shop.orders is not valid.")
        .hasMessageNotContaining("s3c")
        .hasNoCause();
  }

  @Test
  void displayDataShowsTheHostsOnly() {
    Map<String, Object> shown =
        DisplayData.from(COMPLETE).asMap().values().stream()
            .collect(Collectors.toMap(DisplayData.Item::getKey, DisplayData.Item::getValue));
    assertThat(shown)
        .containsEntry("hosts", "db.example:27017,db2.example")
        .containsEntry("database", "shop")
        .containsEntry("collection", "orders")
        .containsEntry("versionField", "_version");
    assertThat(shown.toString()).doesNotContain("s3cret");
  }

  @Test
  void everySettingReachesTheTarget() {
    DisplayData shown =
        DisplayData.from(
            COMPLETE
                .withUri("mongodb+srv://a:s3cret@cluster.example")
                .withDatabase("d")
                .withCollection("c")
                .withVersionField("v"));
    assertThat(shown.toString())
        .contains("cluster.example", "database=d", "collection=c", "versionField=v")
        .doesNotContain("s3cret");
  }

  private static PCollection<DocumentChange> changes() {
    return Pipeline.create().apply(Create.empty(DocumentChangeCoder.of()));
  }
}
