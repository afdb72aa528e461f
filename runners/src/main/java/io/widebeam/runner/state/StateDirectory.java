package io.widebeam.runner.state;

import io.widebeam.flow.FlowShape;
import io.widebeam.flow.PlannedFlow;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Properties;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.annotation.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a flow keeps on disk, for one process at a time:
 *
 * <pre>
 * lock                                the process that runs the flow
 * flow.properties                     whose state this is, and its generation
 * notified.properties                 what has been told of the generation
 * status.properties                   how the run is doing ({@link RunReport})
 * GENERATION/RUN/JOB/chk-N            checkpoints, while a run lasts
 * GENERATION/RUN/savepoint-X          the checkpoint that ended it, if it was stopped
 * temporary                           emptied at every start
 * </pre>
 *
 * <p>A run goes on from the newest checkpoint of its generation that is whole. {@link #prune} keeps
 * the newest three, and with each the run that took it: its checkpoints may share files.
 */
public final class StateDirectory implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(StateDirectory.class);

  /** How many checkpoints are kept. */
  public static final int KEPT = 3;

  private static final String MANIFEST = "flow.properties";
  private static final String NOTIFIED = "notified.properties";
  private static final String LOADED = "loaded";
  private static final String RULES = "rules";
  private static final String DAMAGED = ".damaged";
  private static final Pattern CHECKPOINT = Pattern.compile("chk-(\\d+)");
  private static final Pattern SAVEPOINT = Pattern.compile("savepoint-.*");

  private final Path directory;
  private final FileChannel lockChannel;
  private Manifest manifest;
  private int run;

  private StateDirectory(Path directory, FileChannel lockChannel) {
    this.directory = directory;
    this.lockChannel = lockChannel;
  }

  /** The directory of a flow if none is named. */
  public static Path ofFlow(String flow) {
    return Path.of(".widebeam", flow);
  }

  /**
   * Takes the directory, which is made if it is not there.
   *
   * @throws StateException if another process has it
   */
  public static StateDirectory open(Path directory) {
    Path absolute = directory.toAbsolutePath().normalize();
    try {
      Files.createDirectories(absolute);
      FileChannel channel =
          FileChannel.open(
              lockFile(absolute),
              StandardOpenOption.CREATE,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE);
      if (!lock(channel)) {
        channel.close();
        throw new StateException(
            "the state in "
                + directory
                + " is in use"
                + by(holder(absolute))
                + ": stop that first (widebeam stop), or choose another --state-dir");
      }
      channel.truncate(0);
      channel.write(
          ByteBuffer.wrap(
              Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.UTF_8)));
      StateDirectory state = new StateDirectory(absolute, channel);
      delete(state.temporary());
      return state;
    } catch (IOException e) {
      throw new StateException("the state directory " + directory + " cannot be used: " + e, e);
    }
  }

  private static boolean lock(FileChannel channel) throws IOException {
    try {
      FileLock lock = channel.tryLock();
      return lock != null;
    } catch (OverlappingFileLockException e) {
      return false; // This process has it.
    }
  }

  private static String by(OptionalLong process) {
    return process.isPresent() ? " by process " + process.getAsLong() : "";
  }

  private static Path lockFile(Path directory) {
    return directory.resolve("lock");
  }

  private static OptionalLong holder(Path directory) {
    try {
      return OptionalLong.of(Long.parseLong(Files.readString(lockFile(directory)).strip()));
    } catch (IOException | NumberFormatException e) {
      return OptionalLong.empty();
    }
  }

  /**
   * Removes a directory with everything that a flow kept in it.
   *
   * @return whether there was one
   * @throws StateException if a process has it
   */
  public static boolean remove(Path directory) {
    if (!Files.isDirectory(directory)) {
      return false;
    }
    try (StateDirectory state = open(directory)) {
      // With the lock still held, and its file the last.
      delete(state.path());
    } catch (IOException e) {
      throw new StateException(directory + " cannot be removed: " + e, e);
    }
    return true;
  }

  /** The process that has a directory; empty if none does. */
  public static OptionalLong runningProcess(Path directory) {
    Path absolute = directory.toAbsolutePath().normalize();
    try (FileChannel channel =
        FileChannel.open(lockFile(absolute), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      return lock(channel) ? OptionalLong.empty() : holder(absolute);
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }

  public Path path() {
    return directory;
  }

  /** Where to leave what need not outlive the process. */
  public Path temporary() {
    return directory.resolve("temporary");
  }

  /**
   * Finds out whether a flow can go on from what is here, and starts a new generation if there is
   * nothing to go on from. Views that have changed since start one of their own.
   *
   * @param backend as asked for; by default, the one in use, and at first the heap
   * @param fresh whether to start a new generation in any case
   * @param messages for people
   * @throws StateException if the state is another flow's, or none of its views are in it
   */
  public void prepare(
      PlannedFlow flow, Optional<StateBackend> backend, boolean fresh, Consumer<String> messages) {
    FlowShape shape = FlowShape.of(flow);
    Manifest known = Manifest.read(manifestFile()).orElse(null);
    if (known != null && !known.flow().equals(flow.name())) {
      throw new StateException(
          directory
              + " holds the state of the flow "
              + known.flow()
              + ", not of "
              + flow.name()
              + ": choose another --state-dir");
    }
    if (known == null || fresh) {
      manifest =
          new Manifest(flow.name(), 0, backend.orElse(StateBackend.HEAP), shape, Map.of(), false);
      if (known != null) {
        manifest = manifest.withGeneration(known.last());
      }
      startGeneration();
      return;
    }
    if (Collections.disjoint(known.shape().views().keySet(), shape.views().keySet())) {
      throw new StateException(
          "the flow has changed since its state in "
              + directory
              + " was kept:\n"
              + known.shape().differencesTo(shape)
              + "\nUndo the change, or rebuild the documents with --fresh");
    }
    if (backend.isPresent() && backend.get() != known.backend()) {
      throw new StateException(
          "the state in "
              + directory
              + " is for --state-backend="
              + known.backend().name().toLowerCase(Locale.ROOT)
              + ": use that, or rebuild the documents with --fresh");
    }
    manifest = known;
    if (checkpoints().isEmpty() && !anyDamaged()) {
      messages.accept("the last run did not get to its first checkpoint: starting anew");
      manifest = known.withShape(shape, known.later());
      startGeneration();
    } else if (!known.shape().equals(shape)) {
      manifest = changed(known, shape, messages);
      manifest.write(manifestFile());
    }
    run = runs().stream().mapToInt(StateDirectory::number).max().orElse(0) + 1;
  }

  /** The flow has other views than when it was last run. */
  private static Manifest changed(Manifest known, FlowShape shape, Consumer<String> messages) {
    Set<String> begins = shape.notIn(known.shape());
    Map<String, Long> later = new HashMap<>(known.later());
    later.keySet().retainAll(shape.views().keySet());
    long now = nextGeneration(known);
    begins.forEach(view -> later.put(view, now));
    Set<String> gone = new LinkedHashSet<>(known.shape().views().keySet());
    gone.removeAll(shape.views().keySet());
    messages.accept(
        "the flow has changed since its last run:\n" + known.shape().differencesTo(shape));
    if (!begins.isEmpty()) {
      messages.accept(
          "the tables of "
              + String.join(", ", begins)
              + " are read now, while the rest goes on where it was");
    }
    if (!gone.isEmpty()) {
      messages.accept(
          "what was written for "
              + String.join(", ", gone)
              + " stays, and is not followed any more");
    }
    return known.withShape(shape, later);
  }

  /**
   * Goes on from a checkpoint. Views that are newer than it have no state in it, whatever an
   * attempt to load them may have written since; so they begin anew.
   */
  public void resume(Checkpoint checkpoint) {
    long taken = PlannedFlow.generationAt(checkpoint.taken().toEpochMilli());
    long now = nextGeneration(manifest);
    Map<String, Long> later = new HashMap<>(manifest.later());
    later.replaceAll((view, number) -> number > taken ? now : number);
    if (!later.equals(manifest.later())) {
      manifest = manifest.withShape(manifest.shape(), later);
      manifest.write(manifestFile());
    }
  }

  /** A clock that was set back must not make a new generation older than the last. */
  private static long nextGeneration(Manifest known) {
    return Math.max(PlannedFlow.generationAt(System.currentTimeMillis()), known.last() + 1);
  }

  /** Leaves everything behind and begins with an empty state. */
  public void startGeneration() {
    manifest = manifest.withGeneration(nextGeneration(manifest));
    manifest.write(manifestFile());
    run = 1;
    prune();
  }

  /** The number that all versions of the running generation are built on. */
  public long generation() {
    return manifest.generation();
  }

  /** The flow, in the generations that it and its views have here. */
  public PlannedFlow inGeneration(PlannedFlow flow) {
    return flow.withGenerations(manifest.generation(), manifest.later());
  }

  /** Whether it has been told that the running generation is loaded. */
  public boolean isToldLoaded() {
    return read(notifiedFile()).getProperty(LOADED, "").equals(Long.toString(generation()));
  }

  /** Remembers that it has been told. */
  public void tellLoaded() {
    note(LOADED);
  }

  /** Whether a run of the running generation had rules, so that its checkpoints may hold some. */
  public boolean hadRules() {
    return read(notifiedFile()).getProperty(RULES, "").equals(Long.toString(generation()));
  }

  /** Remembers that a run has rules. */
  public void haveRules() {
    note(RULES);
  }

  private Path notifiedFile() {
    return directory.resolve(NOTIFIED);
  }

  private static Properties read(Path file) {
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(file)) {
      properties.load(reader);
    } catch (NoSuchFileException e) {
      // Nothing has been noted yet.
    } catch (IOException | IllegalArgumentException e) {
      LOG.warn("{} cannot be read: {}", file, e.toString());
    }
    return properties;
  }

  private void note(String key) {
    Properties properties = read(notifiedFile());
    properties.setProperty(key, Long.toString(generation()));
    try {
      AtomicFile.write(notifiedFile(), properties);
    } catch (IOException e) {
      LOG.warn("{} cannot be written: {}", notifiedFile(), e.toString());
    }
  }

  public StateBackend backend() {
    return manifest.backend();
  }

  /** Whether checkpoints may have state of views that are no more. */
  public boolean isAltered() {
    return manifest.altered();
  }

  /** Where this run's checkpoints go. */
  public Path checkpointsOfRun() {
    return generationDirectory().resolve("run-" + run);
  }

  /**
   * The newest checkpoint that is whole; empty at the beginning of a generation.
   *
   * @param messages for people
   * @throws StateException if there are checkpoints, and all are damaged
   */
  public Optional<Checkpoint> newestWhole(Consumer<String> messages) {
    List<Checkpoint> all = checkpoints();
    for (Checkpoint checkpoint : all) {
      Optional<String> damage = checkpoint.damage();
      if (damage.isEmpty()) {
        return Optional.of(checkpoint);
      }
      setAside(checkpoint, damage.get(), messages);
    }
    if (!anyDamaged()) {
      return Optional.empty();
    }
    throw new StateException(
        "all checkpoints in " + directory + " are damaged: rebuild the documents with --fresh");
  }

  /** Passes a checkpoint over from now on. */
  public void setAside(Checkpoint checkpoint, String damage, Consumer<String> messages) {
    messages.accept("the checkpoint " + checkpoint.path() + " is damaged (" + damage + ")");
    try {
      Files.move(
          checkpoint.path(),
          checkpoint.path().resolveSibling(checkpoint.path().getFileName() + DAMAGED));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot set " + checkpoint.path() + " aside", e);
    }
  }

  /** The completed checkpoints of the generation, newest first. */
  public List<Checkpoint> checkpoints() {
    record Found(int run, long number, Checkpoint checkpoint) {}

    List<Found> found = new ArrayList<>();
    for (Path runDirectory : runs()) {
      for (Path child : children(runDirectory)) {
        if (SAVEPOINT.matcher(child.getFileName().toString()).matches()) {
          if (!child.getFileName().toString().endsWith(DAMAGED)) {
            // The last thing that a run does.
            Checkpoint.in(child)
                .ifPresent(
                    point -> found.add(new Found(number(runDirectory), Long.MAX_VALUE, point)));
          }
          continue;
        }
        for (Path grandchild : children(child)) {
          Matcher checkpoint = CHECKPOINT.matcher(grandchild.getFileName().toString());
          if (checkpoint.matches()) {
            Checkpoint.in(grandchild)
                .ifPresent(
                    point ->
                        found.add(
                            new Found(
                                number(runDirectory), Long.parseLong(checkpoint.group(1)), point)));
          }
        }
      }
    }
    found.sort(Comparator.comparingInt(Found::run).thenComparingLong(Found::number).reversed());
    return found.stream().map(Found::checkpoint).toList();
  }

  private boolean anyDamaged() {
    return runs().stream()
        .flatMap(run -> children(run).stream())
        .flatMap(child -> Stream.concat(Stream.of(child), children(child).stream()))
        .anyMatch(path -> path.getFileName().toString().endsWith(DAMAGED));
  }

  /** Deletes what no start will need. */
  public void prune() {
    Path generation = generationDirectory();
    List<Checkpoint> kept = checkpoints().stream().limit(KEPT).toList();
    try {
      for (Path other : children(directory)) {
        if (isNumber(other.getFileName().toString()) && !other.equals(generation)) {
          delete(other);
        }
      }
      for (Path old : runs()) {
        if (!old.equals(checkpointsOfRun())
            && kept.stream().noneMatch(point -> point.path().startsWith(old))) {
          delete(old);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete old checkpoints in " + directory, e);
    }
  }

  private Path manifestFile() {
    return directory.resolve(MANIFEST);
  }

  private Path generationDirectory() {
    return directory.resolve(Long.toString(manifest.generation()));
  }

  private List<Path> runs() {
    return children(generationDirectory()).stream()
        .filter(path -> path.getFileName().toString().matches("run-\\d+"))
        .toList();
  }

  private static int number(Path runDirectory) {
    return Integer.parseInt(runDirectory.getFileName().toString().substring("run-".length()));
  }

  private static boolean isNumber(String name) {
    return name.matches("\\d+");
  }

  private static List<Path> children(@Nullable Path directory) {
    if (directory == null || !Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> children = Files.list(directory)) {
      return children.toList();
    } catch (IOException e) {
      // Flink deletes directories meanwhile.
      return List.of();
    }
  }

  private static void delete(Path tree) throws IOException {
    if (!Files.exists(tree)) {
      return;
    }
    Files.walkFileTree(
        tree,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.deleteIfExists(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException failure)
              throws IOException {
            if (failure instanceof NoSuchFileException) {
              return FileVisitResult.CONTINUE; // Somebody else deletes, too.
            }
            throw failure;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException failure)
              throws IOException {
            Files.deleteIfExists(visited);
            return FileVisitResult.CONTINUE;
          }
        });
  }

  /** Lets other processes have the directory. */
  @Override
  public void close() {
    try {
      delete(temporary());
    } catch (IOException e) {
      LOG.debug("{} goes at the next start", temporary(), e);
    }
    try {
      lockChannel.close();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot let go of " + directory, e);
    }
  }
}
