package io.widebeam.doc;

import static io.widebeam.view.ViewNode.Embedding.ARRAY;
import static io.widebeam.view.ViewNode.Embedding.OBJECT;
import static org.assertj.core.api.Assertions.assertThat;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoCollection;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import io.widebeam.cdc.CdcIO;
import io.widebeam.change.TableId;
import io.widebeam.deadletter.DeadLetters;
import io.widebeam.join.WideDocuments;
import io.widebeam.sink.mongodb.MongoDocuments;
import io.widebeam.testing.TestMariaDb;
import io.widebeam.view.ViewNode;
import io.widebeam.view.ViewNode.JoinColumn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.apache.beam.io.debezium.DebeziumIO.ConnectorConfiguration;
import org.apache.beam.runners.direct.DirectOptions;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.PipelineResult;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.sdk.runners.TransformHierarchy;
import org.apache.beam.sdk.values.PDone;
import org.bson.Document;
import org.junit.jupiter.api.Test;

/** The pipeline of docs/beam.md, run against real servers. */
class BeamPipelineIT {

  static Pipeline pipeline(
      Pipeline pipeline, ConnectorConfiguration connector, String database, String mongoUri) {
    // docs:begin
    ViewNode customers =
        new ViewNode(
            new TableId(database, database, "customers"),
            List.of("id"), // primary key
            List.of("customer"), // path in the document
            OBJECT,
            List.of(new JoinColumn("customer_id", "id")),
            List.of(),
            List.of()); // lookups below it
    ViewNode items =
        new ViewNode(
            new TableId(database, database, "items"),
            List.of("order_id", "line"),
            List.of("items"),
            ARRAY,
            List.of(new JoinColumn("id", "order_id")),
            List.of(),
            List.of());
    TableId orders = new TableId(database, database, "orders");

    pipeline
        .apply("Read", CdcIO.readChanges().withConnectorConfiguration(connector))
        .apply(
            "Join",
            WideDocuments.of(ViewNode.root(orders, List.of("id"), List.of(customers, items))))
        .apply(
            "Write",
            MongoDocuments.write().withUri(mongoUri).withDatabase("shop").withCollection("orders"));
    // docs:end
    return pipeline;
  }

  static void withDeadLetters(
      Pipeline pipeline,
      ConnectorConfiguration connector,
      ViewNode orders,
      MongoDocuments.Write write) {
    // docs:letters:begin
    try (DeadLetters<PDone> letters =
        DeadLetters.to(pipeline, write.withCollection("letters").ofDeadLetters())) {
      pipeline
          .apply(
              "Read",
              CdcIO.readChanges().withConnectorConfiguration(connector).withDeadLetters(letters))
          .apply("Join", WideDocuments.of(orders).withDeadLetters(letters))
          .apply("Write", write.withDeadLetters(letters, orders.table()));
    }
    // docs:letters:end
  }

  @Test
  void thePipelineOfTheDocumentationKeepsDocumentsUpToDate() throws Exception {
    TestMariaDb source = TestMariaDb.shared();
    String database = source.createDatabase();
    source.execute(
        database,
        "CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(20))",
        "CREATE TABLE orders (id INT PRIMARY KEY, customer_id INT)",
        "CREATE TABLE items (order_id INT, line INT, PRIMARY KEY (order_id, line))",
        "INSERT INTO orders VALUES (1, 10)",
        "INSERT INTO customers VALUES (10, 'Ada')",
        "INSERT INTO items VALUES (1, 1), (1, 2)");
    MongoServer target = new MongoServer(new MemoryBackend());
    String uri = "mongodb://127.0.0.1:" + target.bind().getPort();

    DirectOptions options = PipelineOptionsFactory.as(DirectOptions.class);
    options.setBlockOnRun(false);
    PipelineResult running =
        pipeline(Pipeline.create(options), source.connector(database), database, uri).run();
    try (MongoClient client = MongoClients.create(uri)) {
      MongoCollection<Document> documents = client.getDatabase("shop").getCollection("orders");
      await(() -> names(documents).equals(List.of("Ada")));
      source.execute(database, "UPDATE customers SET name = 'Grace'");
      await(() -> names(documents).equals(List.of("Grace")));
      assertThat(documents.find().first().getList("items", Document.class)).hasSize(2);
      source.execute(database, "DELETE FROM orders");
      await(() -> documents.countDocuments() == 0);
    } finally {
      running.cancel();
      target.shutdownNow();
    }
  }

  @Test
  void thePipelinesInTheDocumentationAreThese() throws Exception {
    String documentation = Files.readString(Path.of("../docs/beam.md"));
    assertThat(documentation).contains(snippet("docs:"));
    assertThat(documentation).contains(snippet("docs:letters:"));

    Pipeline pipeline = Pipeline.create();
    withDeadLetters(
        pipeline,
        TestMariaDb.shared().connector("shop"),
        ViewNode.root(new TableId("shop", "shop", "orders"), List.of("id"), List.of()),
        MongoDocuments.write().withUri("mongodb://h").withDatabase("d").withCollection("c"));
    List<String> steps = new ArrayList<>();
    pipeline.traverseTopologically(
        new Pipeline.PipelineVisitor.Defaults() {
          @Override
          public void visitPrimitiveTransform(TransformHierarchy.Node node) {
            steps.add(node.getFullName());
          }
        });
    assertThat(steps).anyMatch(step -> step.startsWith("DeadLetters/Write/Write"));
  }

  private static String snippet(String name) throws IOException {
    String source = Files.readString(Path.of("src/test/java/io/widebeam/doc/BeamPipelineIT.java"));
    String begin = "// " + name + "begin\n";
    return source
        .substring(
            source.indexOf(begin) + begin.length(), source.indexOf("    // " + name + "end\n"))
        .stripTrailing()
        .stripIndent();
  }

  private static List<String> names(MongoCollection<Document> documents) {
    return documents
        .find()
        .map(order -> order.get("customer", new Document()).getString("name"))
        .into(new ArrayList<>());
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + Duration.ofMinutes(2).toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("still waiting").isLessThan(deadline);
      Thread.onSpinWait();
      Thread.sleep(10);
    }
  }
}
