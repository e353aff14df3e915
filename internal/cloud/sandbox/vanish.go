package sandbox

import ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

// vanishes counts a launch against the faults that let one end in nothing, and tells whether one does.
func (s *state) vanishes() bool {
	vanishes := false
	for n := range s.Faults {
		f := &s.Faults[n]
		vanishes = f.Effect == EffectVanish && f.hit(ServiceMachine, operationLaunch) || vanishes
	}
	return vanishes
}

// end lets an instance that was just launched end before it runs: the launch was accepted, and there was no capacity after
// all (EC2 user guide, "Instance terminates immediately").
func (c *call) end(i *instance) {
	c.enter(i, phaseVanish)
	c.release(i, c.now.Add(startDelay))
	if request := c.region.SpotRequests[i.SpotRequest]; request != nil {
		request.Status = "instance-terminated-no-capacity"
	}
}

// showReason tells why an instance is not just running (EC2 API reference, StateReason).
func (c *call) showReason(i *instance, shown *ec2types.Instance) {
	because := func(code, message string) *ec2types.StateReason {
		return &ec2types.StateReason{Code: new(code), Message: new(code + ": " + message)}
	}
	switch {
	case i.Phase == phaseStart:
	case i.Phase != phaseVanish:
		shown.StateTransitionReason = new("User initiated (" + i.Since.Format("2006-01-02 15:04:05") + " GMT)")
		shown.StateReason = because("Client.UserInitiatedShutdown", "User initiated shutdown")
	case i.terminated(c.now):
		shown.StateReason = because("Server.InsufficientInstanceCapacity",
			"There was insufficient capacity available to satisfy the launch request.")
	}
}
