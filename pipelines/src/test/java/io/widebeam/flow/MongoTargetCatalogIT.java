package io.widebeam.flow;

import static org.assertj.core.api.Assertions.assertThat;

import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class MongoTargetCatalogIT {
  private static List<Finding> check(String uri) {
    return TargetCatalog.mongodb()
        .check(new Connection.Mongo("docs", Secret.of(uri), "shop"), Set.of("orders"));
  }

  @Test
  void aServerThatLetsEverybodyWriteIsFine() {
    MongoServer server = new MongoServer(new MemoryBackend());
    try {
      assertThat(check(server.bindAndGetConnectionString())).isEmpty();
    } finally {
      server.shutdownNow();
    }
  }

  @Test
  void aPortThatNothingListensOn() throws IOException {
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }

    assertThat(check("mongodb://127.0.0.1:" + port))
        .containsExactly(
            new Finding(
                "uri",
                "connection docs: nothing answers at 127.0.0.1:" + port,
                "check the hosts and ports, and that the server is running"));
  }

  @Test
  void anInvalidConnectionStringIsReportedWithoutItsPassword() {
    List<Finding> findings = check("mongodb://user:hun/ter2@127.0.0.1");

    assertThat(findings).hasSize(1);
    assertThat(findings.get(0).what())
        .isEqualTo("connection docs: `uri` is not a valid MongoDB connection string");
    assertThat(findings.toString()).doesNotContain("ter2");
  }
}
