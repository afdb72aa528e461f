package io.widebeam.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A port that leads to a server on this machine, until it is told to fail. */
public final class FlakyNetwork implements AutoCloseable {
  private enum Mode {
    OPEN,
    REFUSING,
    SILENT
  }

  private final int target;
  private final ServerSocket entrance;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private volatile Mode mode = Mode.OPEN;

  public FlakyNetwork(int target) throws IOException {
    this.target = target;
    this.entrance = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    start(this::accept);
  }

  public int port() {
    return entrance.getLocalPort();
  }

  /** Closes every connection, and each new one at once, as a server does that is down. */
  public void refuse() {
    mode = Mode.REFUSING;
    sockets.forEach(FlakyNetwork::close);
  }

  /** Lets nothing through any more, without a word to either side. */
  public void swallow() {
    mode = Mode.SILENT;
  }

  /** Serves new connections again; those from before are gone. */
  public void restore() {
    mode = Mode.OPEN;
    sockets.forEach(FlakyNetwork::close);
    sockets.clear();
  }

  private void accept() {
    try {
      while (true) {
        Socket client = entrance.accept();
        sockets.add(client);
        switch (mode) {
          case OPEN -> connect(client);
          case REFUSING -> client.close();
          case SILENT -> {
            // Left hanging.
          }
        }
      }
    } catch (IOException e) {
      // Closed.
    }
  }

  private void connect(Socket client) {
    try {
      Socket server = new Socket(InetAddress.getLoopbackAddress(), target);
      sockets.add(server);
      start(() -> copy(client, server));
      start(() -> copy(server, client));
    } catch (IOException e) {
      close(client); // The server itself is down.
    }
  }

  private void copy(Socket from, Socket to) {
    byte[] buffer = new byte[1 << 16];
    try (InputStream in = from.getInputStream();
        OutputStream out = to.getOutputStream()) {
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        if (mode == Mode.OPEN) {
          out.write(buffer, 0, read);
          out.flush();
        }
      }
    } catch (IOException e) {
      // One of the two sides is gone.
    }
  }

  private static void start(Runnable work) {
    Thread thread = new Thread(work, "flaky-network");
    thread.setDaemon(true);
    thread.start();
  }

  private static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() throws IOException {
    entrance.close();
    sockets.forEach(FlakyNetwork::close);
  }
}
