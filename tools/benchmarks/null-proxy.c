/*
 * The least that a storing SMTP proxy can do: takes each message whole, hands it on, and answers its client
 * with what the next server said. Nothing is looked at. It is the measure for esets_smtp in tools/bench.
 *
 *   null-proxy LISTEN_PORT SERVER_PORT      both on 127.0.0.1
 *
 * A thread for each session, blocking calls, one write for each message: hard to do cheaper.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in server;

/* One direction of a connection: what was read and not used yet. */
struct input {
    int fd;
    char *bytes;
    size_t count, room;
};

/* Reads more; 0 at the end of the connection or on an error. */
static int more(struct input *in)
{
    if (in->count == in->room) {
        size_t room = in->room ? in->room * 2 : 65536;
        char *bytes = realloc(in->bytes, room);
        if (!bytes)
            return 0;
        in->bytes = bytes;
        in->room = room;
    }
    ssize_t got = read(in->fd, in->bytes + in->count, in->room - in->count);
    if (got <= 0)
        return 0;
    in->count += (size_t)got;
    return 1;
}

static void consume(struct input *in, size_t count)
{
    memmove(in->bytes, in->bytes + count, in->count - count);
    in->count -= count;
}

/* Length of the first line with its end, reading as needed; 0 at the end. */
static size_t line(struct input *in, size_t from)
{
    for (;;) {
        char *end = in->count > from ? memchr(in->bytes + from, '\n', in->count - from) : NULL;
        if (end)
            return (size_t)(end - in->bytes) + 1 - from;
        if (!more(in))
            return 0;
    }
}

static int put(int fd, const char *bytes, size_t count)
{
    while (count) {
        ssize_t written = send(fd, bytes, count, MSG_NOSIGNAL);
        if (written <= 0)
            return 0;
        bytes += written;
        count -= (size_t)written;
    }
    return 1;
}

/* Passes one reply of the server on; its first digit, 0 when the connection ended. */
static char reply(struct input *from, int to)
{
    size_t at = 0;
    for (;;) {
        size_t length = line(from, at);
        if (length < 4)
            return 0;
        int last = from->bytes[at + 3] != '-';
        at += length;
        if (last)
            break;
    }
    char first = from->bytes[0];
    int sent = put(to, from->bytes, at);
    consume(from, at);
    return sent ? first : 0;
}

/* Takes a message up to its final dot and passes it on as it is. */
static int message(struct input *from, int to)
{
    size_t seen = 0;
    for (;;) {
        if (from->count >= 3 && seen == 0 && !memcmp(from->bytes, ".\r\n", 3)) {
            seen = 3;
            break;
        }
        char *end = from->count > seen ? memmem(from->bytes + seen, from->count - seen, "\r\n.\r\n", 5) : NULL;
        if (end) {
            seen = (size_t)(end - from->bytes) + 5;
            break;
        }
        seen = from->count > 4 ? from->count - 4 : 0;
        if (!more(from))
            return 0;
    }
    int sent = put(to, from->bytes, seen);
    consume(from, seen);
    return sent;
}

static void *session(void *argument)
{
    int one = 1;
    struct input client = {.fd = (int)(intptr_t)argument}, next = {.fd = socket(AF_INET, SOCK_STREAM, 0)};
    if (next.fd < 0 || connect(next.fd, (struct sockaddr *)&server, sizeof server) < 0)
        goto end;
    setsockopt(client.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(next.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (!reply(&next, client.fd))
        goto end;
    for (;;) {
        size_t length = line(&client, 0);
        if (!length)
            break;
        int data = length >= 4 && !strncasecmp(client.bytes, "DATA", 4);
        int quit = length >= 4 && !strncasecmp(client.bytes, "QUIT", 4);
        int sent = put(next.fd, client.bytes, length);
        consume(&client, length);
        char first = sent ? reply(&next, client.fd) : 0;
        if (!first || quit)
            break;
        if (data && first == '3' && (!message(&client, next.fd) || !reply(&next, client.fd)))
            break;
    }
end:
    if (next.fd >= 0)
        close(next.fd);
    close(client.fd);
    free(client.bytes);
    free(next.bytes);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: null-proxy LISTEN_PORT SERVER_PORT\n");
        return 64;
    }
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2]))};
    local.sin_addr.s_addr = server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (listener < 0 || bind(listener, (struct sockaddr *)&local, sizeof local) < 0 || listen(listener, 128) < 0) {
        perror("null-proxy");
        return 1;
    }
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 262144);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        pthread_t thread;
        if (fd >= 0 && pthread_create(&thread, &attributes, session, (void *)(intptr_t)fd))
            close(fd);
    }
}
