# The road, sticks, facilities below
road-title = Connection
road-above = the level above
road-nobody = This facility is joined to no other yet.
road-all-there = Everything has safely arrived there.
road-nothing-waits = Nothing is waiting.
road-waits-for = { $n ->
    [one] 1 item is waiting ({ $time }).
   *[other] { $n } items are waiting ({ $time }).
}
road-kept-here = It is kept here and goes by itself when the link is back.
road-never = No link since the start
road-through = Passed on by others, sealed
road-what-waits = What is waiting, the most urgent first
road-class = Kind
road-count = Items
road-size = Size
road-time = Through in
road-about = ~{ $x }
road-measured = Measured
road-rate = Speed
road-rate-assumed = { $rate } (assumed)
road-rtt = There and back
road-loss = Lost on the way
road-since = Up since
road-acknowledged = Last confirmation
road-not-yet = none yet
road-unnamed = Facility

tier-clinic = Clinic
tier-county = County hospital
tier-province = Provincial hospital
tier-ministry = Ministry
tier-specialist = Specialist hospital
tier-unknown = Not met yet

class-emergency = Emergency
class-care = Care
class-routine = Routine
class-bulk = Pictures

size-kb = { $n } kB
size-mb = { $n } MB
rate-kbit = { $n } kbit/s
rate-mbit = { $n } Mbit/s
time-within-minute = under 1 min
time-about-minutes = about { $n } min
time-about-hours = about { $n } h
time-about-days = about { $n } days
time-seconds = { $n } s
time-milliseconds = { $n } ms

stick-title = Carry by USB stick
stick-short = When there is no link
stick-why = When the link is cut, the records travel on a USB stick. What is on it can only be opened by the facility it is for.
stick-practice = In the practice room nothing is carried. Go back to work first.
stick-out = Carry out
stick-out-1 = Put the stick into the computer.
stick-out-2 = Press the button. Save the file on the stick.
stick-out-3 = Take the stick out safely and give it to the courier.
stick-out-to = Carry out to { $to }
stick-nothing-waits = Nothing new is waiting; a confirmation can still go.
stick-nobody = This node has not met a neighbour yet. Let the link run once, or carry in a stick from there first.
stick-in = Carry in
stick-in-1 = Put in the stick that came.
stick-in-2 = Choose the file that ends in .stick. If there are two, choose both.
stick-in-3 = Press ‘Take in’.
stick-files = Files on the stick
stick-files-hint = Several at once are fine
stick-take-in = Take in
stick-choose = Choose the file on the stick first.
stick-too-large = These files are too large for one go. Choose fewer files.
stick-last = Last stick
stick-held = { $when }, { $n } messages: arrived, all of them.
stick-not-held = { $when }, { $n } messages: no confirmation yet. They are still kept here.

stick-done = Taken in
stick-done-nothing = Nothing new
stick-refused = This cannot be used
stick-from = Stick from { $from }, written { $when }
stick-arrived = { $n ->
    [one] 1 new message was taken in
   *[other] { $n } new messages were taken in
}; { $known } were here already.
stick-nothing-new = There is nothing new on this stick. It was taken in before, or a newer one came first. No harm is done.
stick-acknowledged = { $from } confirms what you sent: it has safely arrived there.
stick-put-aside = { $n ->
    [one] 1 message cannot be used and was put aside.
   *[other] { $n } messages cannot be used and were put aside.
} Tell the administrator.
stick-nothing-new-read = Nothing of what could be read is new.
stick-truncated = { $n ->
    [0] The stick was pulled out too early, and nothing is missing.
    [one] The stick was pulled out too early: 1 piece is missing. Everything else is kept. Have it carried once more.
   *[other] The stick was pulled out too early: { $n } pieces are missing. Everything else is kept. Have it carried once more.
}
stick-lost = { $n ->
    [one] 1 piece is damaged and could not be read.
   *[other] { $n } pieces are damaged and could not be read.
} Everything else is kept. Have it carried once more.
stick-mended = { $n ->
    [one] 1 damaged piece was mended, nothing is lost.
   *[other] { $n } damaged pieces were mended, nothing is lost.
} The stick is wearing out: take another one.
stick-answer-back = The sender learns that this arrived over the link, or by the next stick from here.
stick-again = Choose another file

stick-bad-no-stick = This file is no record of Ondol.
stick-bad-no-stick-do = Look on the stick for a file that ends in .stick, and choose that one.
stick-bad-newer = This stick was written by a newer Ondol.
stick-bad-newer-do = Update this node, then take the stick in again. Keep the stick.
stick-bad-foreign = This stick belongs to another nation’s system.
stick-bad-foreign-do = Nothing was taken in. Give the stick back to the courier.
stick-bad-not-for-us = This stick is not for here but for: { $to }.
stick-bad-not-for-us-do = Give it to the courier to carry on. It cannot be opened here.
stick-bad-unknown = The stick says it is from { $from }, which nobody here has met.
stick-bad-unknown-do = Nothing was taken in. Have that facility write the stick anew, and tell the administrator.
stick-bad-revoked = This stick is from { $from }, whose computer was reported stolen or lost.
stick-bad-revoked-do = Nothing was taken in. Keep the stick and tell the administrator.
stick-bad-forged = The stick says it is from { $from }, but is not sealed with its key.
stick-bad-forged-do = Nothing was taken in. Telephone that facility: it may have a new key, or somebody forged the stick.
stick-bad-sealed = The seal of this stick cannot be opened here.
stick-bad-sealed-do = It was made for an older key of this facility, or altered. Have it written anew.
stick-bad-damaged = The stick is damaged, nothing on it can be read.
stick-bad-damaged-do = Nothing is lost: the sender still has all of it. Have it written on another stick.

facilities-title = Facilities below
facilities-short = Who is silent, where nobody is on duty
facilities-none = No facility is below this one, or they are not yours to look at.
facilities-all-well = All facilities were heard, and somebody is on duty everywhere.
facilities-silent = Silent: { $n }
facilities-silent-do = Nothing was heard for two days. Telephone, or send a courier.
facilities-gaps = Nobody on duty: { $n }
facilities-all = All: { $n }
facilities-heard = heard
facilities-never = never heard
facilities-nobody-came = { $service }: whoever is on duty since { $when } has not come
facilities-nobody-listed = { $service }: nobody is on the roster
facilities-index = asked the nation's index { $n } times, { $later } put off
