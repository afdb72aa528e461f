package io.widebeam.runner.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.concurrent.ExecutionException;
import org.apache.beam.sdk.util.UserCodeException;
import org.junit.jupiter.api.Test;

class FailuresTest {
  @Test
  void theRunnersWrappersAreLeftOut() {
    Throwable root = new IOException("Access denied for user 'cdc'");
    Throwable failure = new ExecutionException(UserCodeException.wrap(new RuntimeException(root)));

    assertThat(Failures.describe(failure)).isEqualTo("Access denied for user 'cdc'");
  }

  @Test
  void whatWasBeingDoneComesBeforeWhatWentWrong() {
    Throwable failure =
        new IllegalStateException("cannot read Shop", new IOException("Connection refused"));

    assertThat(Failures.describe(failure)).isEqualTo("cannot read Shop: Connection refused");
  }

  @Test
  void nothingIsSaidTwice() {
    Throwable failure =
        new IllegalStateException(
            "cannot read Shop: Connection refused", new IOException("Connection refused"));

    assertThat(Failures.describe(failure)).isEqualTo("cannot read Shop: Connection refused");
  }

  @Test
  void aFailureWithoutAMessageIsNamedByItsType() {
    assertThat(Failures.describe(new ExecutionException(new InterruptedException())))
        .isEqualTo("InterruptedException");
  }

  @Test
  void afterTheHeapWasFullTheRemedyIsNamed() {
    assertThat(Failures.describe(new OutOfMemoryError("Java heap space")))
        .contains("out of memory")
        .contains("WIDEBEAM_JAVA_OPTS");
  }
}
