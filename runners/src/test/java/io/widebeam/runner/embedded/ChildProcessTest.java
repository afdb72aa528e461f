package io.widebeam.runner.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class ChildProcessTest {
  private static final int HEAP_MEGABYTES = 64;

  /** Starts a child of its own and waits to be killed. */
  static final class Parent {
    public static void main(String[] arguments) throws InterruptedException {
      ChildProcess child =
          ChildProcess.startTied(
              "the child",
              List.of("/bin/sh", "-c", "echo pid $$; exec sleep 1000"),
              Path.of(arguments[0]),
              System.out::println);
      assertThat(child.isAlive()).isTrue();
      new CountDownLatch(1).await();
    }
  }

  @Test
  @Timeout(60)
  void aChildEndsWithAParentThatIsKilledAndLeavesNothing(@TempDir Path directory) throws Exception {
    Path left = Files.createDirectories(directory.resolve("left"));
    Files.writeString(left.resolve("file"), "data");
    ProcessHandle child;
    try (ChildProcess parent =
        ChildProcess.startJava(
            "the parent",
            HEAP_MEGABYTES,
            Parent.class.getName(),
            List.of(left.toString()),
            Map.of(),
            line -> {})) {
      String line = parent.awaitLine(printed -> printed.startsWith("pid "), Duration.ofSeconds(50));
      child = ProcessHandle.of(Long.parseLong(line.substring("pid ".length()))).orElseThrow();
      assertThat(child.isAlive()).isTrue();
    }

    child.onExit().get(50, TimeUnit.SECONDS);
    while (Files.exists(left)) {
      TimeUnit.MILLISECONDS.sleep(10);
    }
  }

  @Test
  @Timeout(60)
  void theExitStatusIsTheCommands() {
    try (ChildProcess child =
        ChildProcess.startTied(
            "the child", List.of("/bin/sh", "-c", "exit 7"), Path.of(""), line -> {})) {
      assertThat(child.awaitEnd(Duration.ofSeconds(50))).isEqualTo(7);
    }
  }
}
