/* Tries to change the network that its box has. */
#include "attack.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

/* Sends a message to rtnetlink(7); fails as its answer says. */
static int netlink(int type, int flags, void *body, unsigned length) {
  int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
  struct {
    struct nlmsghdr header;
    char body[256];
  } message = {{(unsigned)(sizeof(struct nlmsghdr) + length), (unsigned short)type,
                (unsigned short)(NLM_F_REQUEST | NLM_F_ACK | flags), 0, 0}, {0}};
  memcpy(message.body, body, length);
  struct {
    struct nlmsghdr header;
    struct nlmsgerr error;
    char rest[1024];
  } answer = {0};
  if (fd < 0 || send(fd, &message, message.header.nlmsg_len, 0) < 0 || recv(fd, &answer, sizeof answer, 0) < 0)
    return -1;
  close(fd);
  errno = -answer.error.error;
  return answer.error.error ? -1 : 0;
}

static void change(char **arguments) {
  (void)arguments;
  int index = (int)if_nametoindex("eth0");
  checked("have no interface", index == 0);
  struct ifinfomsg up = {.ifi_index = index, .ifi_change = IFF_UP};
  TRY("take the interface down", netlink(RTM_NEWLINK, 0, &up, sizeof up));
  TRY("remove the interface", netlink(RTM_DELLINK, 0, &up, sizeof up));
  struct {
    struct ifaddrmsg header;
    struct rtattr attribute;
    unsigned address;
  } address = {{AF_INET, 24, 0, 0, (unsigned)index}, {8, IFA_LOCAL}, htonl(0x0ad54e09)};
  TRY("add an address", netlink(RTM_NEWADDR, NLM_F_CREATE, &address, sizeof address));
  address.address = htonl(0x0ad54e05);
  TRY("remove the address", netlink(RTM_DELADDR, 0, &address, sizeof address));
  struct {
    struct rtmsg header;
    struct rtattr attribute;
    int index;
  } route = {{AF_INET, 0, 0, 0, RT_TABLE_MAIN, RTPROT_STATIC, RT_SCOPE_LINK, RTN_UNICAST, 0}, {8, RTA_OIF}, index};
  TRY("add a route", netlink(RTM_NEWROUTE, NLM_F_CREATE, &route, sizeof route));
  struct ndmsg neighbour = {.ndm_family = AF_INET, .ndm_ifindex = index, .ndm_state = 0x80};
  TRY("add a neighbour", netlink(RTM_NEWNEIGH, NLM_F_CREATE, &neighbour, sizeof neighbour));
  int sock = socket(AF_INET, SOCK_DGRAM, 0);
  struct ifreq request = {.ifr_name = "eth0", .ifr_flags = IFF_PROMISC};
  TRY("listen to others", ioctl(sock, SIOCSIFFLAGS, &request));
  request = (struct ifreq){.ifr_name = "eth0", .ifr_hwaddr = {.sa_family = 1, .sa_data = {2, 0, 0, 0, 0, 1}}};
  TRY("change the hardware address", ioctl(sock, SIOCSIFHWADDR, &request));
  request = (struct ifreq){.ifr_name = "eth0", .ifr_mtu = 9000};
  TRY("change the size of packets", ioctl(sock, SIOCSIFMTU, &request));
  TRY("open a raw socket", socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
  TRY("open a packet socket", socket(AF_PACKET, SOCK_RAW, 0));
  TRY("send with another's address", setsockopt(sock, IPPROTO_IP, 19 /* IP_TRANSPARENT */, &(int){1}, sizeof(int)));
  TRY("write a setting", open("/proc/sys/net/ipv4/ip_forward", O_WRONLY));
  TRY("write a setting of the interface", open("/proc/sys/net/ipv6/conf/eth0/accept_ra", O_WRONLY));
  TRY("make a network namespace", unshare(CLONE_NEWNET));
}

static const struct attack attacks[] = {{"change", change}};
ATTACK_MAIN(attacks)
