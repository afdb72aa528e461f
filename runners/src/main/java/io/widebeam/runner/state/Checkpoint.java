package io.widebeam.runner.state;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.flink.runtime.checkpoint.Checkpoints;
import org.apache.flink.runtime.checkpoint.OperatorState;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.checkpoint.metadata.CheckpointMetadata;
import org.apache.flink.runtime.state.IncrementalKeyedStateHandle.HandleAndLocalPath;
import org.apache.flink.runtime.state.IncrementalRemoteKeyedStateHandle;
import org.apache.flink.runtime.state.KeyGroupsStateHandle;
import org.apache.flink.runtime.state.OperatorStateHandle;
import org.apache.flink.runtime.state.StateObject;
import org.apache.flink.runtime.state.StreamStateHandle;
import org.apache.flink.runtime.state.filesystem.FileStateHandle;

/**
 * A checkpoint or savepoint of Flink on local disk.
 *
 * @param path its directory
 * @param taken when it was completed
 */
public record Checkpoint(Path path, Instant taken) {
  private static final String METADATA = "_metadata";

  /** The checkpoint in the directory; empty if it was never completed. */
  static Optional<Checkpoint> in(Path directory) {
    try {
      // Flink gives the file this name when everything else is written.
      return Optional.of(
          new Checkpoint(
              directory, Files.getLastModifiedTime(directory.resolve(METADATA)).toInstant()));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /**
   * What is wrong with it, for people: a file that is missing, cut short or not readable. Sizes are
   * compared, contents only of the file that names the others.
   */
  Optional<String> damage() {
    CheckpointMetadata metadata;
    try (DataInputStream in =
        new DataInputStream(
            new BufferedInputStream(Files.newInputStream(path.resolve(METADATA))))) {
      metadata =
          Checkpoints.loadCheckpointMetadata(
              in, Checkpoint.class.getClassLoader(), path.toUri().toString());
      if (in.read() >= 0) {
        return Optional.of(METADATA + " is longer than it should be");
      }
    } catch (IOException | RuntimeException e) {
      return Optional.of(METADATA + " cannot be read");
    }
    return metadata.getOperatorStates().stream()
        .map(OperatorState::getStates)
        .flatMap(Collection::stream)
        .flatMap(Checkpoint::handles)
        .flatMap(Checkpoint::streams)
        .flatMap(stream -> damage(stream).stream())
        .findFirst();
  }

  private static Stream<StateObject> handles(OperatorSubtaskState state) {
    return Stream.<Collection<? extends StateObject>>of(
            state.getManagedOperatorState(),
            state.getRawOperatorState(),
            state.getManagedKeyedState(),
            state.getRawKeyedState())
        .flatMap(Collection::stream);
  }

  private static Stream<StreamStateHandle> streams(StateObject handle) {
    if (handle instanceof KeyGroupsStateHandle keyed) {
      return Stream.of(keyed.getDelegateStateHandle());
    }
    if (handle instanceof OperatorStateHandle operator) {
      return Stream.of(operator.getDelegateStateHandle());
    }
    if (handle instanceof IncrementalRemoteKeyedStateHandle incremental) {
      return Stream.concat(
          Stream.of(incremental.getMetaDataStateHandle()),
          Stream.of(incremental.getSharedState(), incremental.getPrivateState())
              .flatMap(List::stream)
              .map(HandleAndLocalPath::getHandle));
    }
    return Stream.empty();
  }

  private static Optional<String> damage(StreamStateHandle stream) {
    if (!(stream instanceof FileStateHandle file)) {
      return Optional.empty(); // Small states are part of the metadata.
    }
    Path path = Path.of(file.getFilePath().toUri().getPath());
    try {
      long size = Files.size(path);
      return size == file.getStateSize()
          ? Optional.empty()
          : Optional.of(
              path.getFileName() + " has " + size + " of " + file.getStateSize() + " bytes");
    } catch (IOException e) {
      return Optional.of(path.getFileName() + " is missing");
    }
  }
}
