/* Tries to reach something outside. */
#include "attack.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <sys/ioctl.h>
#include <sys/un.h>

static void say(const char *name, int type, const char *host, int port) {
  struct sockaddr_in address = {AF_INET, htons(port)};
  inet_pton(AF_INET, host, &address.sin_addr);
  int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
  struct timeval timeout = {0, 200000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  if (connect(fd, (void *)&address, sizeof address) < 0 || send(fd, "hello", 5, 0) < 0)
    return denied(name, strerror(errno));
  /* A datagram may be sent to nowhere; only an answer shows that somebody is there. */
  char answer[16];
  if (type == SOCK_DGRAM && recv(fd, answer, sizeof answer, 0) < 0)
    return denied(name, strerror(errno));
  got_through(name, host);
}

/* TCP-PORT UDP-PORT ADDRESS: of the host, where somebody listens. */
static void internet(char **arguments) {
  int tcp = atoi(arguments[0]), udp = atoi(arguments[1]);
  say("TCP to the host's loopback", SOCK_STREAM, "127.0.0.1", tcp);
  say("UDP to the host's loopback", SOCK_DGRAM, "127.0.0.1", udp);
  say("TCP to the host's address", SOCK_STREAM, arguments[2], tcp);
  say("UDP to the host's address", SOCK_DGRAM, arguments[2], udp);
  say("TCP to the internet", SOCK_STREAM, "192.0.2.1", 80);
  say("TCP to a cloud's metadata", SOCK_STREAM, "169.254.169.254", 80);
}

static void unix_sockets(char **arguments) {
  struct sockaddr_un address = {AF_UNIX};
  address.sun_path[0] = 0;
  strcpy(address.sun_path + 1, arguments[0]);
  for (int type = SOCK_STREAM; type <= SOCK_SEQPACKET; type++) {
    int fd = socket(AF_UNIX, type, 0);
    if (fd < 0)
      continue;
    char name[64];
    snprintf(name, sizeof name, "abstract socket of type %d", type);
    TRY(name, connect(fd, (void *)&address, 3 + strlen(arguments[0])));
    close(fd);
  }
  strcpy(address.sun_path, arguments[1]);
  TRY("a socket with a path", connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&address, sizeof address));
  snprintf(address.sun_path, sizeof address.sun_path, "/proc/1/root%s", arguments[1]);
  TRY("a socket below /proc/1/root", connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&address, sizeof address));
  strcpy(address.sun_path, "/dev/log");
  TRY("the system's log", connect(socket(AF_UNIX, SOCK_DGRAM, 0), (void *)&address, sizeof address));
}

static void other_families(char **arguments) {
  (void)arguments;
  TRY("AF_VSOCK", socket(AF_VSOCK, SOCK_STREAM, 0));
  TRY("AF_VSOCK datagrams", socket(AF_VSOCK, SOCK_DGRAM, 0));
  TRY("AF_VSOCK with junk in the high bits", syscall(SYS_socket, AF_VSOCK | 0xdeadbeefL << 32, SOCK_STREAM, 0));
  TRY("an AF_VSOCK pair", socketpair(AF_VSOCK, SOCK_STREAM, 0, (int[2]){0}));
  TRY("open /dev/vsock", open("/dev/vsock", O_RDONLY));
  TRY("AF_PACKET", socket(AF_PACKET, SOCK_RAW, htons(3)));
  TRY("AF_PACKET datagrams", socket(AF_PACKET, SOCK_DGRAM, htons(3)));
  TRY("raw IP", socket(AF_INET, SOCK_RAW, IPPROTO_RAW));
  TRY("raw ICMP", socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
  TRY("raw IPv6", socket(AF_INET6, SOCK_RAW, IPPROTO_RAW));
  struct ifreq request = {"tap0"};
  request.ifr_flags = 0x1002;
  TRY("make a network device", ioctl(open("/dev/net/tun", O_RDWR), 0x400454ca, &request));
}

static void netlink(char **arguments) {
  (void)arguments;
  struct ifaddrs *first, *address;
  int others = 0;
  getifaddrs(&first);
  for (address = first; address; address = address->ifa_next)
    others += strcmp(address->ifa_name, "lo") != 0;
  checked("see another interface than lo", others > 0);
  struct {
    struct nlmsghdr header;
    struct ifinfomsg info;
  } request = {{sizeof request, RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, 1, 0}, {AF_UNSPEC, 0, 1, 0, IFF_UP}};
  struct {
    struct nlmsghdr header;
    struct nlmsgerr error;
    char rest[256];
  } answer;
  int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  struct sockaddr_nl kernel = {AF_NETLINK};
  sendto(fd, &request, sizeof request, 0, (void *)&kernel, sizeof kernel);
  if (recv(fd, &answer, sizeof answer, 0) > 0 && answer.header.nlmsg_type == NLMSG_ERROR) {
    errno = -answer.error.error;
    tried("change an interface", answer.error.error);
  }
  struct ifreq down = {"lo"};
  TRY("take lo down", ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCSIFFLAGS, &down));
  int groups = 1;
  int events = socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT);
  struct sockaddr_nl all = {AF_NETLINK, 0, 0, 1};
  TRY("send an event of the kernel", sendto(events, "add@/x", 7, 0, (void *)&all, sizeof all));
  TRY("join the audit messages", bind(socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT), (void *)&all, sizeof all));
}

static const struct attack attacks[] = {
    {"internet", internet}, {"unix", unix_sockets}, {"other", other_families}, {"netlink", netlink}};
ATTACK_MAIN(attacks)
