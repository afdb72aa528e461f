package io.widebeam.flow;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Takes a flow's secrets out of a text that others wrote, such as a driver's message. */
public final class Redaction implements UnaryOperator<String> {
  private static final String SHOWN = "***";

  /** What is shorter stands in texts by itself. */
  private static final int SHORTEST = 3;

  private static final Pattern USER_INFO = Pattern.compile("//([^/@?#]*(?:@[^/@?#]*)*)@");
  private static final Pattern SECRET_KEY =
      Pattern.compile("(?i).*(password|passwd|pwd|secret|token|credential|key).*");
  private static final Pattern PARAMETER = Pattern.compile("[?&;]([^=&;]+)=([^&;]*)");

  /** The longest first: one may be a part of another. */
  private final Set<String> secrets =
      new TreeSet<>(
          Comparator.comparingInt(String::length)
              .reversed()
              .thenComparing(Comparator.naturalOrder()));

  private Redaction() {}

  /** What hides the passwords, connection strings, properties and channels of a flow. */
  public static Redaction of(Flow flow) {
    Redaction redaction = new Redaction();
    for (Connection connection : flow.connections()) {
      if (connection instanceof Connection.Database database) {
        redaction.add(database.password().reveal());
        redaction.addProperties(database.properties());
      } else if (connection instanceof Connection.Connector connector) {
        redaction.addUrl(connector.url().reveal());
        redaction.add(connector.password().reveal());
        redaction.addProperties(connector.properties());
      } else if (connection instanceof Connection.Mongo mongo) {
        redaction.addUrl(mongo.uri().reveal());
      } else if (connection instanceof Connection.Jdbc jdbc) {
        redaction.addUrl(jdbc.url().reveal());
        redaction.add(jdbc.password().reveal());
        redaction.addProperties(jdbc.properties());
      }
    }
    flow.channels().forEach(channel -> channel.secrets().forEach(redaction::add));
    return redaction;
  }

  private void addProperties(Map<String, String> properties) {
    properties.forEach(
        (key, value) -> {
          if (SECRET_KEY.matcher(key).matches()) {
            add(value);
          }
        });
  }

  private void addUrl(String url) {
    Matcher user = USER_INFO.matcher(url);
    if (user.find()) {
      String info = user.group(1);
      int colon = info.indexOf(':');
      if (colon >= 0) {
        add(info);
        add(info.substring(colon + 1));
      }
    }
    Matcher parameter = PARAMETER.matcher(url);
    while (parameter.find()) {
      if (SECRET_KEY.matcher(parameter.group(1)).matches()) {
        add(parameter.group(2));
      }
    }
  }

  private void add(String secret) {
    if (secret.length() < SHORTEST) {
      return;
    }
    secrets.add(secret);
    try {
      secrets.add(URLDecoder.decode(secret.replace("+", "%2B"), StandardCharsets.UTF_8));
    } catch (IllegalArgumentException e) {
      // It is not encoded.
    }
  }

  @Override
  public String apply(String text) {
    String shown = text;
    for (String secret : secrets) {
      shown = shown.replace(secret, SHOWN);
    }
    return shown;
  }
}
