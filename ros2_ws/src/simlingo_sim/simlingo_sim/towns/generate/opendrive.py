"""Writes a road network as OpenDRIVE 1.4."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

from simlingo_sim.towns.generate.plan import Junction, Lane, Link, Mark, Network, Road, RoadObject, Signal

#: Where the towns pretend to lie: CARLA's own origin, so that GNSS values look familiar.
GEO_REFERENCE = "+proj=tmerc +lat_0=0 +lon_0=0 +k=1 +x_0=0 +y_0=0 +datum=WGS84 +units=m +no_defs"
#: Width of painted lines, m.
MARK_WIDTH = 0.15


def to_xml(name: str, network: Network) -> str:
    """The whole OpenDRIVE document as text ending in a newline."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        "<OpenDRIVE>",
        f'<header revMajor="1" revMinor="4" name={quoteattr(name)} version="1.00" vendor="simlingo_sim">',
        f"<geoReference><![CDATA[{GEO_REFERENCE}]]></geoReference>",
        "</header>",
    ]
    for road in network.roads:
        lines += _road(road)
    for junction in network.junctions:
        for controller in junction.controllers:
            lines.append(
                f'<controller id="{controller.id}" name={quoteattr(controller.name)} sequence="{controller.sequence}">'
            )
            lines += [f'<control signalId="{signal}" type="0"/>' for signal in controller.signals]
            lines.append("</controller>")
    for junction in network.junctions:
        lines += _junction(junction)
    lines.append("</OpenDRIVE>")
    return "\n".join(lines) + "\n"


def _number(value: float, digits: int = 6) -> str:
    text = f"{value:.{digits}f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _road(road: Road) -> list[str]:
    lines = [
        f'<road name={quoteattr(road.name)} length="{_number(road.length)}" id="{road.id}" junction="{road.junction}">',
        "<link>",
        *_link("predecessor", road.predecessor),
        *_link("successor", road.successor),
        "</link>",
        f'<type s="0" type="{road.kind}"><speed max="{road.speed_kmh}" unit="km/h"/></type>',
        "<planView>",
    ]
    s = 0.0
    for segment in road.path:
        pose = segment.start
        shape = "<line/>" if segment.curvature == 0.0 else f'<arc curvature="{_number(segment.curvature, 10)}"/>'
        lines.append(
            f'<geometry s="{_number(s)}" x="{_number(pose.x)}" y="{_number(pose.y)}" hdg="{_number(pose.heading, 9)}"'
            f' length="{_number(segment.length)}">{shape}</geometry>'
        )
        s += segment.length
    lines += [
        "</planView>",
        '<elevationProfile><elevation s="0" a="0" b="0" c="0" d="0"/></elevationProfile>',
        "<lanes>",
        '<laneOffset s="0" a="0" b="0" c="0" d="0"/>',
        '<laneSection s="0">',
    ]
    left = [lane for lane in road.lanes if lane.id > 0]
    if left:
        lines += ["<left>", *(line for lane in left for line in _lane(lane, road.length)), "</left>"]
    lines += ["<center>", '<lane id="0" type="none" level="false">', _mark(road.center), "</lane>", "</center>"]
    right = [lane for lane in road.lanes if lane.id < 0]
    lines += ["<right>", *(line for lane in right for line in _lane(lane, road.length)), "</right>"]
    lines += ["</laneSection>", "</lanes>"]
    if road.objects:
        lines += ["<objects>", *(line for item in road.objects for line in _object(item)), "</objects>"]
    if road.signals:
        lines += ["<signals>", *(line for signal in road.signals for line in _signal(signal)), "</signals>"]
    lines.append("</road>")
    return lines


def _link(tag: str, link: Link | None) -> list[str]:
    if link is None:
        return []
    contact = f' contactPoint="{link.contact}"' if link.contact else ""
    return [f'<{tag} elementType="{link.kind}" elementId="{link.id}"{contact}/>']


def _lane(lane: Lane, length: float) -> list[str]:
    slope = (lane.width_at_end - lane.width) / length
    lines = [f'<lane id="{lane.id}" type="{lane.type}" level="false">']
    if lane.predecessor is not None and lane.successor is not None:
        lines.append(f'<link><predecessor id="{lane.predecessor}"/><successor id="{lane.successor}"/></link>')
    lines += [
        f'<width sOffset="0" a="{_number(lane.width)}" b="{_number(slope, 9)}" c="0" d="0"/>',
        _mark(lane.mark),
        "</lane>",
    ]
    return lines


def _mark(mark: Mark) -> str:
    return (
        f'<roadMark sOffset="0" type="{mark.type}" weight="standard" color="{mark.color}" width="{MARK_WIDTH}"'
        f' laneChange="{mark.lane_change}"/>'
    )


def _object(item: RoadObject) -> list[str]:
    lines = [
        f'<object id="{item.id}" type="{item.type}" name="{item.name}" s="{_number(item.s)}" t="{_number(item.t)}"'
        f' zOffset="0" hdg="0" pitch="0" roll="0" orientation="{item.orientation}" width="{_number(item.width)}"'
        f' length="{_number(item.length)}">'
    ]
    if item.outline:
        lines.append("<outline>")
        lines += [f'<cornerLocal u="{_number(u)}" v="{_number(v)}" z="0"/>' for u, v in item.outline]
        lines.append("</outline>")
    return [*lines, "</object>"]


def _signal(signal: Signal) -> list[str]:
    is_light = signal.type == "1000001"
    height, width = signal.size
    # CARLA 0.9 reads "zOffSet"; the standard's spelling is "zOffset". Both are written.
    return [
        f'<signal id="{signal.id}" name="{signal.name}" s="{_number(signal.s)}" t="{_number(signal.t)}"'
        f' zOffset="{_number(signal.z)}" zOffSet="{_number(signal.z)}" hOffset="0" roll="0" pitch="0"'
        f' orientation="{signal.orientation}" dynamic="{"yes" if is_light else "no"}" country="OpenDRIVE"'
        f' type="{signal.type}" subtype="-1" value="-1" text="" height="{_number(height)}" width="{_number(width)}">',
        f'<validity fromLane="{signal.lanes[0]}" toLane="{signal.lanes[1]}"/>',
        "</signal>",
    ]


def _junction(junction: Junction) -> list[str]:
    lines = [f'<junction id="{junction.id}" name={quoteattr(junction.name)}>']
    for number, connection in enumerate(junction.connections):
        lines.append(
            f'<connection id="{number}" incomingRoad="{connection.incoming}"'
            f' connectingRoad="{connection.connecting}" contactPoint="start">'
        )
        lines += [f'<laneLink from="{start}" to="{end}"/>' for start, end in connection.lane_links]
        lines.append("</connection>")
    for controller in junction.controllers:
        lines.append(f'<controller id="{controller.id}" type="0" sequence="{controller.sequence}"/>')
    return [*lines, "</junction>"]
