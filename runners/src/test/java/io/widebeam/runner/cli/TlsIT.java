package io.widebeam.runner.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.model.Filters;
import io.widebeam.flow.Flow;
import io.widebeam.flow.FlowException;
import io.widebeam.flow.FlowPlanner;
import io.widebeam.flow.FlowYaml;
import io.widebeam.runner.embedded.EmbeddedMariaDb;
import io.widebeam.runner.embedded.EmbeddedMongo;
import io.widebeam.runner.launch.BeamLauncher;
import io.widebeam.runner.launch.RunningBeamFlow;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.sql.Connection;
import java.sql.Statement;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.bson.Document;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A source that lets its reader in by TLS only, and whose certificate the reader checks. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class TlsIT {
  private static final String STORE_PASSWORD = "changeit";

  @TempDir private Path directory;

  @Test
  void theTablesAndTheLogAreReadByTlsWithACertificateThatIsChecked() throws Exception {
    KeyStore server = keyStore("server");
    Path certificate = pem("CERTIFICATE", server.getCertificate("server").getEncoded());
    Path key =
        pem("PRIVATE KEY", server.getKey("server", STORE_PASSWORD.toCharArray()).getEncoded());
    try (EmbeddedMariaDb source =
            EmbeddedMariaDb.start("--ssl", "--ssl-cert=" + certificate, "--ssl-key=" + key);
        EmbeddedMongo target = EmbeddedMongo.start();
        Connection connection = source.connect("");
        Statement statement = connection.createStatement();
        MongoClient client = MongoClients.create(target.uri())) {
      statement.execute("ALTER USER cdc@'%' REQUIRE SSL");
      statement.execute("CREATE DATABASE shop");
      statement.execute("CREATE TABLE shop.orders (id INT PRIMARY KEY, status VARCHAR(20))");
      statement.execute("INSERT INTO shop.orders VALUES (1, 'paid')");

      assertThatThrownBy(() -> FlowPlanner.connected().plan(flow(source, target, "disable")))
          .isInstanceOf(FlowException.class)
          .hasMessageContaining("connection Shop")
          .hasMessageNotContaining(STORE_PASSWORD);
      try (RunningBeamFlow flow =
          new BeamLauncher()
              .launch(FlowPlanner.connected().plan(flow(source, target, "verify-ca")))) {
        awaitStatus(client, flow, "paid");
        statement.execute("UPDATE shop.orders SET status = 'sent'");
        awaitStatus(client, flow, "sent");
        flow.stop();
      }
    }
  }

  private Flow flow(EmbeddedMariaDb source, EmbeddedMongo target, String mode) {
    return FlowYaml.parse(
        """
        name: orders
        connections:
          Shop:
            type: mariadb
            host: 127.0.0.1
            port: %d
            database: shop
            user: cdc
            password: cdc
            properties:
              database.ssl.mode: %s
              database.ssl.truststore: %s
              database.ssl.truststore.password: "${STORE_PASSWORD}"
          Docs: {type: mongodb, uri: "%s", database: docs}
        views:
          - from: Shop.orders
            to: Docs.orders
        """
            .formatted(source.port(), mode, directory.resolve("server.p12"), target.uri()),
        "flow.yaml",
        Map.of("STORE_PASSWORD", STORE_PASSWORD)::get);
  }

  private static void awaitStatus(MongoClient client, RunningBeamFlow flow, String status)
      throws InterruptedException {
    Document found = null;
    while (found == null || !status.equals(found.getString("status"))) {
      assertThat(flow.failure()).isEmpty();
      TimeUnit.MILLISECONDS.sleep(50);
      found = client.getDatabase("docs").getCollection("orders").find(Filters.eq(1)).first();
    }
  }

  /** A new key and its certificate for this machine, signed by itself. */
  private KeyStore keyStore(String name) throws Exception {
    Path file = directory.resolve(name + ".p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-keyalg",
                "RSA",
                "-alias",
                name,
                "-dname",
                "CN=127.0.0.1",
                "-ext",
                "SAN=IP:127.0.0.1,DNS:localhost",
                "-ext",
                "BC=ca:true",
                "-validity",
                "2",
                "-storetype",
                "PKCS12",
                "-keystore",
                file.toString(),
                "-storepass",
                STORE_PASSWORD)
            .redirectErrorStream(true)
            .start();
    String output = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(keytool.waitFor()).as(output).isZero();
    KeyStore own = KeyStore.getInstance(file.toFile(), STORE_PASSWORD.toCharArray());
    // What trusts the certificate holds it as an authority's, and no key.
    KeyStore trusting = KeyStore.getInstance("PKCS12");
    trusting.load(null, null);
    trusting.setCertificateEntry(name, own.getCertificate(name));
    try (var out = Files.newOutputStream(file)) {
      trusting.store(out, STORE_PASSWORD.toCharArray());
    }
    return own;
  }

  private Path pem(String kind, byte[] content) throws Exception {
    return Files.writeString(
        directory.resolve(kind.replace(' ', '-') + ".pem"),
        "-----BEGIN "
            + kind
            + "-----\n"
            + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content)
            + "\n-----END "
            + kind
            + "-----\n");
  }
}
