package io.widebeam.runner.launch;

import java.util.ArrayList;
import java.util.List;

/** Turns a failure, wrapped by every layer that it passed, into one line for people. */
public final class Failures {
  private Failures() {}

  /**
   * The messages of the chain of causes, from the outermost to the root, without the runners' own
   * wrappers and without saying anything twice.
   */
  public static String describe(Throwable failure) {
    List<String> parts = new ArrayList<>();
    Throwable root = failure;
    for (Throwable current = failure; current != null; current = current.getCause()) {
      root = current;
      String message = ownMessage(current);
      if (message != null) {
        parts.removeIf(earlier -> message.contains(earlier));
        if (parts.stream().noneMatch(earlier -> earlier.contains(message))) {
          parts.add(message);
        }
      }
    }
    return parts.isEmpty() ? root.getClass().getSimpleName() : String.join(": ", parts);
  }

  /** Whether a pipeline failed because Flink could not read back the state that it was to have. */
  public static boolean isFromRestoring(Throwable failure) {
    for (Throwable current = failure; current != null; current = current.getCause()) {
      // By name: what happened in another class loader arrives as text.
      String text = current.toString();
      if (text.contains("BackendBuildingException")
          || text.contains("Could not restore")
          || text.contains("Exception while creating StreamOperatorStateContext")) {
        return true;
      }
    }
    return false;
  }

  private static String ownMessage(Throwable failure) {
    if (failure instanceof OutOfMemoryError) {
      return "out of memory: allow Java more, as in WIDEBEAM_JAVA_OPTS=-Xmx8g";
    }
    String type = failure.getClass().getName();
    String message = failure.getMessage();
    if (message == null || message.isBlank()) {
      return failure.getCause() == null ? failure.getClass().getSimpleName() : null;
    }
    if (failure.getCause() != null && (isWrapper(type) || repeatsItsCause(failure))) {
      return null;
    }
    // Flink ships failures between its parts with the class name before the message.
    String original = message.replaceFirst("^([a-z0-9_]+\\.)+[A-Z]\\w*(Exception|Error): ", "");
    return original.strip();
  }

  private static boolean isWrapper(String type) {
    return type.startsWith("org.apache.flink.")
        || type.startsWith("org.apache.beam.")
        || type.startsWith("java.util.concurrent.")
        || type.equals(FlowFailedException.class.getName());
  }

  private static boolean repeatsItsCause(Throwable failure) {
    return failure.getMessage().equals(failure.getCause().toString());
  }
}
