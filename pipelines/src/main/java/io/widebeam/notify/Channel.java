package io.widebeam.notify;

import java.io.Serializable;
import java.net.URI;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** Somebody to tell. Its text form shows no secrets. */
public sealed interface Channel extends Serializable {
  Set<Event> ALL_EVENTS = Collections.unmodifiableSet(EnumSet.allOf(Event.class));

  /** A shorter path stands in texts by itself. */
  int SHORTEST_SECRET = 8;

  /** What it is told of. */
  Set<Event> events();

  /** The same channel, told of these events only. */
  Channel on(Event... events);

  /** What of it must not be shown. */
  List<String> secrets();

  /** A URL that is given every notification as JSON. */
  static Webhook webhook(String url) {
    return new Webhook(url, Map.of(), ALL_EVENTS);
  }

  /** Mail to some addresses, over a connection that becomes encrypted before it says anything. */
  static Mail mail(String host, String from, String... to) {
    return new Mail(
        host, Tls.STARTTLS.defaultPort(), "", "", from, List.of(to), Tls.STARTTLS, ALL_EVENTS);
  }

  /** How a connection to a mail server is encrypted. */
  enum Tls {
    /** From the first byte. */
    TLS(465),
    /** Once the server has been asked for it; without, nothing is sent. */
    STARTTLS(587),
    /** Not at all. */
    NONE(25);

    private final int defaultPort;

    Tls(int defaultPort) {
      this.defaultPort = defaultPort;
    }

    public int defaultPort() {
      return defaultPort;
    }
  }

  /**
   * A URL that every notification is posted to.
   *
   * @param url secret but for its host: webhooks often have their password in the path
   * @param headers of the request, by name; their values are secret
   */
  record Webhook(String url, Map<String, String> headers, Set<Event> events) implements Channel {
    public Webhook {
      Objects.requireNonNull(url, "url");
      headers = Collections.unmodifiableMap(new LinkedHashMap<>(headers));
      events = Collections.unmodifiableSet(EnumSet.copyOf(events));
    }

    /** The same with one more header. */
    public Webhook header(String name, String value) {
      Map<String, String> more = new LinkedHashMap<>(headers);
      more.put(name, value);
      return new Webhook(url, more, events);
    }

    @Override
    public Webhook on(Event... only) {
      return new Webhook(url, headers, Set.of(only));
    }

    @Override
    public List<String> secrets() {
      List<String> secrets = new ArrayList<>();
      headers
          .values()
          .forEach(
              value -> {
                secrets.add(value);
                // As in: Bearer abc.
                secrets.add(value.substring(value.lastIndexOf(' ') + 1));
              });
      secrets.add(url);
      try {
        URI uri = URI.create(url);
        for (String part :
            new String[] {
              uri.getRawUserInfo(), uri.getUserInfo(), uri.getRawPath(), uri.getRawQuery()
            }) {
          if (part != null && part.length() >= SHORTEST_SECRET) {
            secrets.add(part);
          }
        }
      } catch (IllegalArgumentException e) {
        // Then it has no parts.
      }
      return secrets;
    }

    @Override
    public String toString() {
      String host;
      try {
        URI uri = URI.create(url);
        host = uri.getHost() + (uri.getPort() < 0 ? "" : ":" + uri.getPort());
      } catch (IllegalArgumentException e) {
        host = "***";
      }
      return "webhook " + host;
    }
  }

  /**
   * Mail by SMTP.
   *
   * @param user who to log in as; empty for nobody
   * @param password secret
   */
  record Mail(
      String host,
      int port,
      String user,
      String password,
      String from,
      List<String> to,
      Tls tls,
      Set<Event> events)
      implements Channel {
    public Mail {
      Objects.requireNonNull(host, "host");
      Objects.requireNonNull(user, "user");
      Objects.requireNonNull(password, "password");
      Objects.requireNonNull(from, "from");
      to = List.copyOf(to);
      Objects.requireNonNull(tls, "tls");
      events = Collections.unmodifiableSet(EnumSet.copyOf(events));
    }

    /** The same, encrypted in another way, at that way's usual port. */
    public Mail tls(Tls how) {
      return new Mail(host, how.defaultPort(), user, password, from, to, how, events);
    }

    /** The same at another port. */
    public Mail port(int number) {
      return new Mail(host, number, user, password, from, to, tls, events);
    }

    /** The same, for a server that wants to know who it is. */
    public Mail login(String name, String secret) {
      return new Mail(host, port, name, secret, from, to, tls, events);
    }

    @Override
    public Mail on(Event... only) {
      return new Mail(host, port, user, password, from, to, tls, Set.of(only));
    }

    @Override
    public List<String> secrets() {
      return password.isEmpty() ? List.of() : List.of(password);
    }

    @Override
    public String toString() {
      return "mail to " + String.join(", ", to);
    }
  }
}
