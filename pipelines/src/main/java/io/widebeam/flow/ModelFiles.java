package io.widebeam.flow;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.List;
import java.util.stream.Stream;

/** Finds files by a pattern. */
final class ModelFiles {
  private ModelFiles() {}

  /** The files that a pattern stands for, in the order of their paths. */
  static List<Path> matching(Path directory, String pattern) throws IOException {
    int wildcard = firstWildcard(pattern);
    if (wildcard < 0) {
      Path file = directory.resolve(pattern);
      return Files.isRegularFile(file) ? List.of(file) : List.of();
    }
    String fixed = pattern.substring(0, pattern.lastIndexOf('/', wildcard) + 1);
    Path start = directory.resolve(fixed);
    if (!Files.isDirectory(start)) {
      return List.of();
    }
    String rest = pattern.substring(fixed.length());
    PathMatcher matcher = FileSystems.getDefault().getPathMatcher("glob:" + rest);
    try (Stream<Path> files = Files.walk(start)) {
      return files
          .filter(Files::isRegularFile)
          .filter(file -> matcher.matches(start.relativize(file)))
          .sorted()
          .toList();
    }
  }

  private static int firstWildcard(String pattern) {
    for (int i = 0; i < pattern.length(); i++) {
      if ("*?[{".indexOf(pattern.charAt(i)) >= 0) {
        return i;
      }
    }
    return -1;
  }
}
