package io.widebeam.sink.mongodb;

import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;

/** A MongoDB wire-protocol server whose data outlive a restart. */
final class LocalMongo implements AutoCloseable {

  private static final class LastingBackend extends MemoryBackend {
    @Override
    public void close() {
      // What a restarted server finds again.
    }
  }

  private final LastingBackend backend = new LastingBackend();
  private final int port;
  private MongoServer server;

  LocalMongo() {
    server = new MongoServer(backend);
    port = server.bind().getPort();
  }

  String uri() {
    return "mongodb://127.0.0.1:" + port;
  }

  int port() {
    return port;
  }

  void stop() {
    server.shutdownNow();
  }

  void startAgain() {
    server = new MongoServer(backend);
    server.bind("127.0.0.1", port);
  }

  @Override
  public void close() {
    server.shutdownNow();
  }
}
