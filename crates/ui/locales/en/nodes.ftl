# The computers of the facilities, and one that was stolen or lost
nodes-title = Computers of the facilities
nodes-short = Which are trusted; when one was stolen or lost
nodes-what = Each facility has one computer that keeps its records. If one was stolen or lost, the others must stop believing it.
nodes-revoked = No longer trusted: { $n }
nodes-trusted-list = Trusted: { $n }
nodes-this = this computer · { $tier }
nodes-is-this = This is the computer that you are using.
nodes-is-trusted = This computer is trusted.
nodes-revoked-since = No longer trusted since { $when }: { $why }.
nodes-tier = Level
nodes-id = Number of the computer
nodes-trusted = Trusted up to
nodes-nothing = nothing
nodes-apart = Came too late and kept apart
nodes-doubted = In the record, to be checked
nodes-dropped = Not sent to it any more
nodes-dropped-count = { $entries } entries, { $messages } messages

nodes-why = What happened?
nodes-why-stolen = it was stolen
nodes-why-lost = it was lost
nodes-why-copied = somebody may have copied it
nodes-why-closed = it is used no more
nodes-why-missing = Choose what happened.
nodes-since = When was it surely still in the right hands?
nodes-since-hint = What came here before then is trusted
nodes-since-future = This time is still to come.
nodes-reason = How it was noticed, and by whom
nodes-reason-hint = Stays in the account of this computer
nodes-reason-missing = Write a few words.
nodes-go-on = Go on

nodes-revoke = This computer was stolen or lost
nodes-revoke-again = Trust it even less
nodes-sure = No longer trust the computer of { $name }?
nodes-will-1 = All facilities are told at once. None of them takes anything from this computer or sends anything to it.
nodes-will-2 = What it wrote up to the numbers below stays as it is. What it wrote after them is not taken in; where it already was, it is marked.
nodes-will-3 = Nothing is sealed for it any more.
nodes-will-4 = It cannot be taken back. The facility gets a new computer and a new invitation.
nodes-will-5 = Until then the facility works on paper.
nodes-trusted-hint = A line for each life of the computer, as ‘0: 12 340 5600 9’: emergency, care, routine, pictures. Ask the facility above it, which has more of its records, to read its numbers out.
nodes-trusted-wrong = Each line is a number, a colon, and four numbers.
nodes-type-name = Type the name of the facility to confirm
nodes-name-wrong = This is not the name that stands below the question.
nodes-do = No longer trust it
nodes-elsewhere = The nation’s key is not on this computer. Telephone the ministry at once and read out the numbers below: only there this can be done.
nodes-read-out = Read these numbers out
nodes-numbers-what = This is what had come here from it before that time.
nodes-revoked-already = It was done before, with these numbers or lower ones.
note-node-revoked = Done. All facilities are being told.

nodes-then = What is to be done now
nodes-then-1 = Telephone the facility. Whoever worked there gets new passwords everywhere.
nodes-then-2 = Invite the facility anew for a new computer. Its records come back to it from the facility above.
nodes-then-3 = Facilities that are reached only through the stolen computer hear of it by this file, on a stick.
nodes-file = Save the file for them
nodes-pieces = What it wrote that is not trusted
nodes-pieces-none = Nothing of it came here.
nodes-pieces-what = Check each with the people who were there. What is right is written once more; what is wrong is taken back.
nodes-piece-here = in the record, marked
nodes-piece-apart = kept apart, not in the record
nodes-piece-person = a person’s details
nodes-piece-visit = a visit
nodes-piece-value = a value
nodes-piece-diagnosis = a diagnosis
nodes-piece-allergy = an allergy
nodes-piece-medicine = a medicine
nodes-piece-request = a consult or referral
nodes-piece-other = something else

nodes-chart = { $n ->
    [one] 1 entry of this chart was written by a computer that was stolen or lost
   *[other] { $n } entries of this chart were written by a computer that was stolen or lost
}
nodes-chart-do = Check with the person before you rely upon it.
nodes-own = This computer was reported stolen or lost.
nodes-own-do = It sends nothing to anybody, and nobody sends anything to it. If you work here rightly, telephone the ministry. What you write stays here.
nodes-brought = A computer is no longer trusted, as the file said.
