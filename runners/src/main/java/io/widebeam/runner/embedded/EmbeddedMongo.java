package io.widebeam.runner.embedded;

import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/**
 * A server that speaks MongoDB's wire protocol and keeps its documents in memory, on a free port of
 * the loopback interface. It stands in for a MongoDB server where none is at hand.
 */
public final class EmbeddedMongo implements AutoCloseable {
  private static final String READY = "listening on port ";

  private final int port;
  private final Runnable stop;

  private EmbeddedMongo(int port, Runnable stop) {
    this.port = port;
    this.stop = stop;
  }

  /** Starts a server in this process: at once, but its documents count against this heap. */
  public static EmbeddedMongo start() {
    MongoServer server = new MongoServer(new MemoryBackend());
    server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    return new EmbeddedMongo(server.getLocalAddress().getPort(), server::shutdownNow);
  }

  /**
   * Starts a server in a process of its own, so that neither its heap nor its garbage collection
   * disturb a measurement of this one.
   *
   * @param heapMegabytes the most that the server's documents may take; an order of the demo takes
   *     about 8 KiB
   */
  public static EmbeddedMongo startInOwnProcess(int heapMegabytes) {
    ChildProcess process =
        ChildProcess.startJava(
            "the MongoDB stand-in",
            heapMegabytes,
            EmbeddedMongo.class.getName(),
            List.of(),
            Map.of(),
            line -> {});
    try {
      String ready = process.awaitLine(line -> line.startsWith(READY), Duration.ofMinutes(1));
      return new EmbeddedMongo(Integer.parseInt(ready.substring(READY.length())), process::close);
    } catch (RuntimeException e) {
      process.close();
      throw e;
    }
  }

  /** The process of {@link #startInOwnProcess}: serves until it is killed. */
  public static void main(String[] arguments) throws Exception {
    ChildProcess.logWarningsOnly();
    try (EmbeddedMongo server = start()) {
      System.out.println(READY + server.port());
      new CountDownLatch(1).await();
    }
  }

  public String host() {
    return "127.0.0.1";
  }

  public int port() {
    return port;
  }

  /** The address that MongoDB's drivers take. */
  public String uri() {
    return "mongodb://" + host() + ":" + port;
  }

  @Override
  public void close() {
    stop.run();
  }
}
