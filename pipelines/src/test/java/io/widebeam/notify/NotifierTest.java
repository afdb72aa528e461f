package io.widebeam.notify;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.icegreen.greenmail.user.GreenMailUser;
import com.icegreen.greenmail.util.GreenMail;
import com.icegreen.greenmail.util.GreenMailUtil;
import com.icegreen.greenmail.util.ServerSetup;
import io.widebeam.notify.Channel.Tls;
import jakarta.mail.internet.MimeMessage;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.stream.Collectors;
import org.bson.BsonDocument;
import org.bson.Document;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

@Timeout(120)
class NotifierTest {
  private static final String SECRET = "open-sesame-4711";
  private static final Duration SHORT = Duration.ofMillis(1);
  private static final Notification FAILURE =
      Notification.of(
          "orders",
          Event.FAILURE,
          "the disk is full",
          Instant.parse("2024-10-01T10:00:00.125Z"),
          BsonDocument.parse("{disk: '/dev/sda', free: {$numberDecimal: '0.50'}}"));

  private final ListAppender<ILoggingEvent> log = new ListAppender<>();
  private TestHook hook;

  @BeforeEach
  void start() throws IOException {
    hook = new TestHook();
    log.start();
    logger().addAppender(log);
  }

  @AfterEach
  void stop() {
    logger().detachAppender(log);
    hook.close();
  }

  private static Logger logger() {
    return (Logger) LoggerFactory.getLogger("io.widebeam.notify");
  }

  private String logged() {
    return log.list.stream()
        .map(ILoggingEvent::getFormattedMessage)
        .collect(Collectors.joining("\n"));
  }

  @Test
  void aWebhookIsPostedTheEventAsPlainJsonWithItsHeaders() throws Exception {
    Channel channel =
        Channel.webhook(hook.url("/hook?key=" + SECRET)).header("X-Token", "Bearer " + SECRET);
    try (Notifier notifier = new Notifier(List.of(channel), SHORT, 10)) {
      notifier.tell(FAILURE);
    }

    assertThat(hook.posted())
        .containsExactly(
            Document.parse(
                """
                {id: 'orders/failure/2024-10-01T10:00:00.125Z', flow: 'orders', event: 'failure',
                 time: '2024-10-01T10:00:00.125Z', text: 'the disk is full', disk: '/dev/sda', free: 0.50}
                """));
    assertThat(hook.headers(0).getFirst("X-Token")).isEqualTo("Bearer " + SECRET);
    assertThat(hook.headers(0).getFirst("Content-Type")).startsWith("application/json");
  }

  @Test
  void theUserOfAUrlLogsIn() throws Exception {
    Channel channel =
        Channel.webhook("http://ops:" + SECRET + "@127.0.0.1:" + hook.port() + "/hook");
    try (Notifier notifier = new Notifier(List.of(channel), SHORT, 10)) {
      notifier.tell(FAILURE);
    }

    assertThat(hook.headers(0).getFirst("Authorization"))
        .isEqualTo(
            "Basic "
                + Base64.getEncoder()
                    .encodeToString(("ops:" + SECRET).getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void aWebhookThatIsAwayForAWhileGetsItInTheEnd() throws Exception {
    hook.answer(503);
    try (Notifier notifier =
        new Notifier(List.of(Channel.webhook(hook.url("/"))), Duration.ofMillis(300), 10)) {
      notifier.tell(FAILURE);
      TestHook.await(() -> hook.attempts() > 0, "an attempt");
      hook.answer(200);
      hook.awaitPosted(1);
      TestHook.await(() -> notifier.delivered() == 1, "the count");
      assertThat(notifier.lost()).isZero();
    }
  }

  @Test
  void whatCannotBeDeliveredIsCountedAndSaidWithoutSecrets() throws Exception {
    int nobody;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      nobody = socket.getLocalPort();
    }
    hook.answer(401);
    List<Channel> channels =
        List.of(
            Channel.webhook(hook.url("/" + SECRET)).header("Authorization", SECRET),
            Channel.webhook("http://u:" + SECRET + "@127.0.0.1:" + nobody + "/?k=" + SECRET),
            Channel.mail("127.0.0.1", "from@example.com", "to@example.com")
                .login("u", SECRET)
                .port(nobody));
    Notifier notifier = new Notifier(channels, SHORT, 10);
    notifier.tell(FAILURE);
    notifier.close();

    assertThat(notifier.lost()).isEqualTo(3);
    assertThat(notifier.delivered()).isZero();
    assertThat(logged())
        .contains("webhook 127.0.0.1:" + hook.port())
        .contains("it answers with status 401")
        .contains("it cannot be reached")
        .contains("mail to to@example.com")
        .doesNotContain(SECRET);
    assertThat(channels.toString()).doesNotContain(SECRET);
  }

  @Test
  void aChannelIsToldOnlyWhatItWants() throws Exception {
    Channel channel = Channel.webhook(hook.url("/")).on(Event.LOADED);
    try (Notifier notifier = new Notifier(List.of(channel), SHORT, 10)) {
      notifier.tell(FAILURE);
      notifier.tell(
          Notification.of("orders", Event.LOADED, "done", Instant.EPOCH, new BsonDocument()));
    }

    assertThat(hook.posted()).extracting(one -> one.getString("event")).containsExactly("loaded");
  }

  @Test
  void tellingNeverWaitsAndWhatThereIsNoRoomForIsLost() throws Exception {
    hook.answer(500);
    Notifier notifier =
        new Notifier(List.of(Channel.webhook(hook.url("/"))), Duration.ofMinutes(1), 2);
    notifier.tell(FAILURE);
    TestHook.await(() -> hook.attempts() == 1, "an attempt");
    long start = System.nanoTime();
    for (int i = 0; i < 10; i++) {
      notifier.tell(FAILURE);
    }

    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
    assertThat(notifier.lost()).isEqualTo(8);
    assertThat(logged()).contains("too many others wait already");
  }

  @Test
  void aDeadChannelKeepsNoOtherWaiting() throws Exception {
    try (TestHook dead = new TestHook()) {
      dead.answer(500);
      Notifier notifier =
          new Notifier(
              List.of(Channel.webhook(dead.url("/")), Channel.webhook(hook.url("/"))),
              Duration.ofMinutes(1),
              10);
      notifier.tell(FAILURE);
      hook.awaitPosted(1);
    }
  }

  @Test
  void aMailSaysWhatHasHappenedAndHasAnIdThatStays() throws Exception {
    GreenMail server = mailServer();
    try {
      Channel channel =
          Channel.mail("127.0.0.1", "widebeam@example.com", "ops@example.com", "dev@example.com")
              .login("widebeam", SECRET)
              .tls(Tls.NONE)
              .port(server.getSmtp().getPort());
      try (Notifier notifier = new Notifier(List.of(channel), SHORT, 10)) {
        notifier.tell(FAILURE);
        notifier.tell(FAILURE);
      }

      MimeMessage[] messages = server.getReceivedMessages();
      assertThat(messages).hasSize(4);
      assertThat(messages[0].getSubject()).isEqualTo("[widebeam] orders: failure");
      assertThat(messages[0].getAllRecipients()).hasSize(2);
      assertThat(GreenMailUtil.getBody(messages[0]))
          .contains("the disk is full")
          .contains("\"disk\": \"/dev/sda\"")
          .contains("orders/failure/2024-10-01T10:00:00.125Z");
      assertThat(messages[0].getMessageID()).isEqualTo(messages[3].getMessageID());
    } finally {
      server.stop();
    }
  }

  @Test
  void aWrongPasswordIsSaidSoWithoutTellingIt() throws Exception {
    GreenMail server = mailServer();
    try {
      Channel channel =
          Channel.mail("127.0.0.1", "widebeam@example.com", "ops@example.com")
              .login("widebeam", "not-" + SECRET)
              .tls(Tls.NONE)
              .port(server.getSmtp().getPort());
      Notifier notifier = new Notifier(List.of(channel), SHORT, 10);
      notifier.tell(FAILURE);
      notifier.close();

      assertThat(notifier.lost()).isEqualTo(1);
      assertThat(logged())
          .contains("the mail server refuses the user or the password")
          .doesNotContain(SECRET);
    } finally {
      server.stop();
    }
  }

  @Test
  void aPasswordIsNotSentToAServerThatCannotEncrypt() throws Exception {
    GreenMail server = mailServer();
    try {
      Channel channel =
          Channel.mail("127.0.0.1", "widebeam@example.com", "ops@example.com")
              .login("widebeam", SECRET)
              .port(server.getSmtp().getPort());
      Notifier notifier = new Notifier(List.of(channel), SHORT, 10);
      notifier.tell(FAILURE);
      notifier.close();

      assertThat(notifier.lost()).isEqualTo(1);
      assertThat(server.getReceivedMessages()).isEmpty();
    } finally {
      server.stop();
    }
  }

  private static GreenMail mailServer() {
    GreenMail server = new GreenMail(new ServerSetup(0, "127.0.0.1", ServerSetup.PROTOCOL_SMTP));
    server.start();
    GreenMailUser unused = server.setUser("widebeam@example.com", "widebeam", SECRET);
    server.getUserManager().setAuthRequired(true);
    return server;
  }
}
