package io.widebeam.runner.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoCollection;
import io.widebeam.runner.Main;
import io.widebeam.runner.embedded.ChildProcess;
import io.widebeam.runner.embedded.EmbeddedMongo;
import io.widebeam.testing.TestPostgres;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.bson.Document;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What a flow leaves in Postgres, and how it goes. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class ForgetIT {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final TestPostgres postgres = TestPostgres.shared();

  @TempDir private Path directory;

  @Test
  void aForgottenFlowLeavesNeitherStateNorSlotNorPublication() throws Exception {
    String database = postgres.createDatabase();
    execute(
        database,
        "CREATE TABLE orders (order_id INT PRIMARY KEY, status TEXT)",
        "ALTER TABLE orders REPLICA IDENTITY FULL",
        "INSERT INTO orders VALUES (1, 'paid')");
    try (EmbeddedMongo server = EmbeddedMongo.start();
        MongoClient client = MongoClients.create(server.uri())) {
      Path flow = write(database, server);
      Path state = directory.resolve("state");
      try (ChildProcess run =
          ChildProcess.startJava(
              "the flow",
              512,
              Main.class.getName(),
              List.of("run", flow.toString(), "--state-dir=" + state),
              Map.of(),
              line -> {})) {
        MongoCollection<Document> target = client.getDatabase("docs").getCollection("orders");
        while (target.countDocuments() == 0) {
          assertThat(run.isAlive()).as(run.failure("ended early")).isTrue();
          TimeUnit.MILLISECONDS.sleep(50);
        }
        assertThat(traces(database)).isEqualTo(2);
        assertThat(program(2, "forget", flow.toString(), "--state-dir=" + state))
            .contains("runs the flow: stop it first");
        // From elsewhere, where its state is not known to be in use.
        assertThat(program(2, "forget", flow.toString(), "--state-dir=" + directory.resolve("no")))
            .contains("the flow still reads its slot widebeam_forgotten_");
        run.terminate();
        assertThat(run.awaitEnd(PATIENCE)).isZero();
      }
      assertThat(traces(database)).isEqualTo(2);

      assertThat(program(0, "forget", flow.toString(), "--state-dir=" + state))
          .contains("removed replication slot widebeam_forgotten_", "removed publication", "state");
      assertThat(traces(database)).isZero();
      assertThat(state).doesNotExist();
      assertThat(program(0, "forget", flow.toString(), "--state-dir=" + state)).isEmpty();
    }
  }

  private Path write(String database, EmbeddedMongo server) throws IOException {
    Path file = directory.resolve("forgotten.yaml");
    Files.writeString(
        file,
        """
        name: forgotten
        connections:
          Shop: {type: postgresql, host: 127.0.0.1, port: %d, database: %s, user: postgres, password: ""}
          Docs: {type: mongodb, uri: "%s", database: docs}
        views:
          - {from: Shop.orders, to: Docs.orders}
        """
            .formatted(postgres.port(), database, server.uri()));
    return file;
  }

  private int traces(String database) throws SQLException {
    try (Connection connection = postgres.connect(database)) {
      return TestPostgres.slotsAndPublications(connection);
    }
  }

  private void execute(String database, String... statements) throws SQLException {
    try (Connection connection = postgres.connect(database);
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }

  private static String program(int status, String... arguments) {
    StringWriter output = new StringWriter();
    PrintWriter writer = new PrintWriter(output);
    CommandLine program = Widebeam.commandLine().setOut(writer).setErr(writer);
    assertThat(program.execute(arguments)).as("%s", output).isEqualTo(status);
    return output.toString();
  }
}
