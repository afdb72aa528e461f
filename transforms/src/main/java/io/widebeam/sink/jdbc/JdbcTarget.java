package io.widebeam.sink.jdbc;

import java.io.Serializable;
import java.util.Map;
import java.util.Objects;
import org.apache.beam.sdk.transforms.display.DisplayData;

/**
 * A database to write to. Its text form shows neither the URL, which may hold a password, nor the
 * credentials.
 *
 * @param url the JDBC URL
 * @param properties for the driver
 */
public record JdbcTarget(String url, String user, String password, Map<String, String> properties)
    implements Serializable {
  public JdbcTarget {
    Objects.requireNonNull(url, "url");
    Objects.requireNonNull(user, "user");
    Objects.requireNonNull(password, "password");
    properties = Map.copyOf(properties);
  }

  /** Kind and host of the database, as far as the URL shows them without its secrets. */
  String shown() {
    String shown = url.split("[?;]", 2)[0];
    int userInfo = shown.lastIndexOf('@');
    int host = shown.indexOf("//");
    return userInfo > host && host >= 0
        ? shown.substring(0, host + 2) + shown.substring(userInfo + 1)
        : shown;
  }

  void populateDisplayData(DisplayData.Builder builder) {
    builder.add(DisplayData.item("database", shown()).withLabel("Database"));
  }

  @Override
  public String toString() {
    return shown();
  }
}
