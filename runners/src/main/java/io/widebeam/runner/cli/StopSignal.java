package io.widebeam.runner.cli;

import java.lang.reflect.Proxy;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ctrl-C or SIGTERM, as a wish to stop in good order: the main thread stops the flow and returns,
 * and only then does the JVM end. A shutdown hook would run beside those of Flink and of embedded
 * servers, which pull the ground from under the flow that is being stopped.
 *
 * <p>A second signal ends the process at once.
 */
public final class StopSignal {
  private static final Logger LOG = LoggerFactory.getLogger(StopSignal.class);
  private static final int KILLED = 130;

  private final CountDownLatch received = new CountDownLatch(1);

  StopSignal() {}

  /** Takes over the signals, where the platform has them. */
  public static StopSignal install() {
    StopSignal stop = new StopSignal();
    stop.handle("INT");
    stop.handle("TERM");
    return stop;
  }

  /** Waits for the signal; whether it came within the time. */
  boolean await(long millis) throws InterruptedException {
    return received.await(millis, TimeUnit.MILLISECONDS);
  }

  void receive() {
    if (received.getCount() == 0) {
      Runtime.getRuntime().halt(KILLED);
    }
    received.countDown();
  }

  private void handle(String signal) {
    try {
      // By reflection: the compiler warns about sun.misc, and Java has nothing else for signals.
      Class<?> signalClass = Class.forName("sun.misc.Signal");
      Class<?> handlerClass = Class.forName("sun.misc.SignalHandler");
      Object handler =
          Proxy.newProxyInstance(
              StopSignal.class.getClassLoader(),
              new Class<?>[] {handlerClass},
              (proxy, method, arguments) -> {
                if (method.getName().equals("handle")) {
                  receive();
                }
                return null;
              });
      signalClass
          .getMethod("handle", signalClass, handlerClass)
          .invoke(null, signalClass.getConstructor(String.class).newInstance(signal), handler);
    } catch (ReflectiveOperationException | IllegalArgumentException e) {
      LOG.debug("no handler for {}", signal, e);
    }
  }
}
