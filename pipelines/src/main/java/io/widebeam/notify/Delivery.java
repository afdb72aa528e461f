package io.widebeam.notify;

import io.widebeam.notify.Channel.Mail;
import io.widebeam.notify.Channel.Webhook;
import jakarta.mail.AuthenticationFailedException;
import jakarta.mail.Authenticator;
import jakarta.mail.Message;
import jakarta.mail.MessagingException;
import jakarta.mail.PasswordAuthentication;
import jakarta.mail.SendFailedException;
import jakarta.mail.Session;
import jakarta.mail.Transport;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Date;
import java.util.Properties;

/** Gives one notification to one channel, once. Waits for it, {@link #PATIENCE} at most. */
final class Delivery {
  static final Duration PATIENCE = Duration.ofSeconds(10);

  /** Without redirects, which would take the headers to somebody else. */
  private static final HttpClient HTTP =
      HttpClient.newBuilder()
          .connectTimeout(PATIENCE)
          .followRedirects(HttpClient.Redirect.NEVER)
          .build();

  private Delivery() {}

  static void deliver(Notification notification, Channel channel)
      throws DeliveryException, InterruptedException {
    if (channel instanceof Webhook webhook) {
      post(notification, webhook);
    } else if (channel instanceof Mail mail) {
      send(notification, mail);
    }
  }

  private static void post(Notification notification, Webhook webhook)
      throws DeliveryException, InterruptedException {
    HttpResponse<Void> response;
    try {
      HttpRequest.Builder request =
          HttpRequest.newBuilder(withoutUser(URI.create(webhook.url())))
              .timeout(PATIENCE)
              .header("User-Agent", "widebeam")
              .header("Content-Type", "application/json; charset=utf-8")
              .POST(HttpRequest.BodyPublishers.ofString(notification.json()));
      String user = URI.create(webhook.url()).getUserInfo();
      if (user != null) {
        request.setHeader(
            "Authorization",
            "Basic "
                + java.util.Base64.getEncoder()
                    .encodeToString(user.getBytes(StandardCharsets.UTF_8)));
      }
      webhook.headers().forEach(request::setHeader);
      response = HTTP.send(request.build(), HttpResponse.BodyHandlers.discarding());
    } catch (IllegalArgumentException e) {
      throw new DeliveryException("its URL or a header is none that can be sent");
    } catch (IOException e) {
      throw new DeliveryException(reason(e));
    }
    if (response.statusCode() / 100 != 2) {
      throw new DeliveryException("it answers with status " + response.statusCode());
    }
  }

  /** HTTP has user and password in a header. */
  private static URI withoutUser(URI uri) {
    return uri.getRawUserInfo() == null
        ? uri
        : URI.create(uri.toString().replaceFirst("//[^/@]*@", "//"));
  }

  private static void send(Notification notification, Mail mail) throws DeliveryException {
    try {
      MimeMessage message = new Mime(session(mail), notification.messageId());
      message.setFrom(new InternetAddress(mail.from()));
      for (String to : mail.to()) {
        message.addRecipient(Message.RecipientType.TO, new InternetAddress(to));
      }
      message.setSubject(subject(notification), StandardCharsets.UTF_8.name());
      message.setSentDate(Date.from(notification.time()));
      message.setText(body(notification), StandardCharsets.UTF_8.name());
      Transport.send(message);
    } catch (AuthenticationFailedException e) {
      throw new DeliveryException("the mail server refuses the user or the password");
    } catch (SendFailedException e) {
      throw new DeliveryException(
          "the mail server refuses an address"
              + (e.getNextException() == null ? "" : " or the mail"));
    } catch (MessagingException e) {
      throw new DeliveryException(
          e.getCause() instanceof IOException cause
              ? reason(cause)
              : "the mail server does not take it (" + e.getClass().getSimpleName() + ")");
    }
  }

  private static String subject(Notification notification) {
    return "[widebeam] " + notification.flow() + ": " + notification.event().label();
  }

  private static String body(Notification notification) {
    StringBuilder body = new StringBuilder(notification.text()).append("\n\n");
    notification
        .details()
        .forEach(
            (name, value) -> {
              org.bson.BsonDocument alone = new org.bson.BsonDocument(name, value);
              String json = Notification.json(alone);
              body.append(json, 1, json.length() - 1).append('\n');
            });
    return body.append('\n')
        .append(notification.time())
        .append("  ")
        .append(notification.id())
        .append('\n')
        .toString();
  }

  private static Session session(Mail mail) {
    String patience = Long.toString(PATIENCE.toMillis());
    Properties properties = new Properties();
    properties.put("mail.smtp.host", mail.host());
    properties.put("mail.smtp.port", Integer.toString(mail.port()));
    properties.put("mail.smtp.connectiontimeout", patience);
    properties.put("mail.smtp.timeout", patience);
    properties.put("mail.smtp.writetimeout", patience);
    properties.put("mail.smtp.ssl.checkserveridentity", "true");
    switch (mail.tls()) {
      case TLS -> properties.put("mail.smtp.ssl.enable", "true");
      case STARTTLS -> {
        properties.put("mail.smtp.starttls.enable", "true");
        properties.put("mail.smtp.starttls.required", "true");
      }
      case NONE -> {}
    }
    if (mail.user().isEmpty()) {
      return Session.getInstance(properties);
    }
    properties.put("mail.smtp.auth", "true");
    return Session.getInstance(
        properties,
        new Authenticator() {
          @Override
          protected PasswordAuthentication getPasswordAuthentication() {
            return new PasswordAuthentication(mail.user(), mail.password());
          }
        });
  }

  private static String reason(IOException e) {
    if (e instanceof HttpTimeoutException || e instanceof java.net.SocketTimeoutException) {
      return "it has not answered within " + PATIENCE.toSeconds() + " s";
    }
    if (e instanceof UnknownHostException || e.getCause() instanceof UnknownHostException) {
      return "there is no such host";
    }
    if (e instanceof ConnectException) {
      return "it cannot be reached";
    }
    return "the connection failed (" + e.getClass().getSimpleName() + ")";
  }

  /** A message that keeps its id. */
  private static final class Mime extends MimeMessage {
    private final String id;

    Mime(Session session, String id) {
      super(session);
      this.id = id;
    }

    @Override
    protected void updateMessageID() throws MessagingException {
      setHeader("Message-ID", id);
    }
  }
}
