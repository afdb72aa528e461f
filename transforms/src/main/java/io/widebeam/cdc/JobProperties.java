package io.widebeam.cdc;

import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.Serializable;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import javax.annotation.Nullable;

/**
 * The connector's properties, which travel with a job but not with the job's state.
 *
 * <p>Flink writes a source into every checkpoint and savepoint, next to its position. A password
 * must not lie there; nor should a job that is resumed go back to the password, or the host, of the
 * job before. So what goes into state is {@link #withoutValues()}, which finds the values of the
 * job that runs: in this JVM, where the job's own copy was made or deserialized.
 */
final class JobProperties implements Serializable {
  private static final long serialVersionUID = 1L;

  /** What this JVM has seen: by the job, and the newest by the name. A few small maps for a job. */
  private static final Map<String, Map<String, String>> SEEN = new ConcurrentHashMap<>();

  private final String name;
  private final String job;
  @Nullable private final Map<String, String> values;

  JobProperties(String name, String job, @Nullable Map<String, String> values) {
    this.name = name;
    this.job = job;
    this.values = values;
  }

  /**
   * A job's own copy.
   *
   * @param values the properties; their {@code name} is the one to find them by when another job
   *     resumes from this one's state
   */
  static JobProperties of(Map<String, String> values) {
    JobProperties properties =
        new JobProperties(
            values.get(ConnectorProperties.NAME),
            UUID.randomUUID().toString(),
            Collections.unmodifiableMap(new HashMap<>(values)));
    properties.remember();
    return properties;
  }

  /** The same properties, to be found in this JVM or another one that has the job's own copy. */
  JobProperties withoutValues() {
    return new JobProperties(name, job, null);
  }

  /**
   * The values.
   *
   * @throws IllegalStateException if this JVM has not met the job
   */
  Map<String, String> values() {
    if (values != null) {
      return values;
    }
    Map<String, String> own = SEEN.get(job);
    Map<String, String> found = own == null ? SEEN.get(name) : own;
    if (found == null) {
      throw new IllegalStateException(
          "The state names a connector `"
              + name
              + "`, and the job that runs has none of that name");
    }
    return found;
  }

  private void remember() {
    if (values != null) {
      SEEN.put(job, values);
      SEEN.put(name, values);
    }
  }

  private void readObject(ObjectInputStream in) throws IOException, ClassNotFoundException {
    in.defaultReadObject();
    remember();
  }

  /** Without the values: some of them are secrets. */
  @Override
  public String toString() {
    return name;
  }
}
